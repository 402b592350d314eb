"""A disk of a given size, in memory, for programs that shall find theirs full.

It lies in a mount namespace of its own, so neither rights of root nor a device are needed, only a
kernel that gives user namespaces to everybody; `possible()` tells.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

NEW = ["unshare", "--user", "--map-root-user", "--mount"]
NOT_AS_ROOT = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


@functools.cache
def possible():
    return subprocess.run([*NEW, "true"], check=False, capture_output=True).returncode == 0


class SmallDisk:
    """`inside` is its folder for what runs within it, `outside` the same one for all others."""

    def __init__(self, size_bytes):
        self.inside = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-disk-"))
        mount = (f'mount -t tmpfs -o size={size_bytes} none "$0" && echo there '
                 '&& exec sleep infinity')
        self.holder = subprocess.Popen([*NEW, "sh", "-c", mount, self.inside],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"there\n":
            raise RuntimeError("no disk could be mounted")
        self.outside = pathlib.Path(f"/proc/{self.holder.pid}/root{self.inside}")

    def within(self, command, as_root=True):
        """The command line that runs this one where the disk is seen, as the same process. It
        takes itself for root there, unless told otherwise; to all others it is who we are."""
        return ["nsenter", "--target", str(self.holder.pid), "--user", "--mount",
                "--preserve-credentials", "--", *([] if as_root else NOT_AS_ROOT), *command]

    def fill(self):
        """Takes all that is left of it; more when there is more again."""
        with (self.outside / "ballast").open("ab", buffering=0) as ballast:
            try:
                if free := shutil.disk_usage(self.outside).free:
                    os.posix_fallocate(ballast.fileno(), ballast.tell(), free)
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def free(self):
        (self.outside / "ballast").unlink()

    def remove(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.inside.rmdir()
