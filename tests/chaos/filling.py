"""A disk that is full for as long as it takes to be found so."""

import harness

IS_FULL = "No space left on device"  # what whoever finds it so says
TOLD_SECONDS = 60


def fill_until_told(disk, log, word, meanwhile=lambda: None):
    """Keeps the disk full until the log has the word once more than before."""
    def told():
        disk.fill()  # what was given back since
        meanwhile()
        return log.read_text().count(word) > before
    before = log.read_text().count(word)
    harness.wait_until(told, TOLD_SECONDS, f"{word!r} in {log}")
