"""A clock of its own for one program, which may be wrong."""


class Clock:
    """What a program takes for the time: `environment` makes it, `path` keeps how far it is off.

    Only the time of day can be wrong. Files keep the times that they have.
    """

    LIBRARY = "/usr/$LIB/faketime/libfaketimeMT.so.1"

    def __init__(self, path):
        self.path = path
        self.be_off(0)
        self.environment = {
            "LD_PRELOAD": self.LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def be_off(self, seconds):
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self.path)
