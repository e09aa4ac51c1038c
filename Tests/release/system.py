"""A Debian of another release, with a release of ours in it, in a directory that forgets everything."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from parts import stop, wait_for  # noqa: E402

SYSTEMS = pathlib.Path(os.environ["L402_TEST_SYSTEMS"])
RELEASE = pathlib.Path(os.environ["L402_TEST_RELEASE"])
ARCHIVE = next(RELEASE.glob("*.tar.gz"))
PACKAGE = next(RELEASE.glob("*.deb"))


class System:
    def __init__(self, suite):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"l402-{suite}-"))
        self.home.chmod(0o755)
        self.root = self.home / "root"
        for name in ("upper", "work", "root"):
            (self.home / name).mkdir(mode=0o755)
        self.processes = []
        self.mount("-t", "overlay", "overlay", "-o",
                   f"lowerdir={SYSTEMS / suite},upperdir={self.home}/upper,workdir={self.home}/work", self.root)
        self.mount("--rbind", "--make-rslave", "/dev", self.root / "dev")
        self.mount("-t", "proc", "proc", self.root / "proc")

    def mount(self, *words):
        subprocess.run(["mount", *map(str, words)], check=True)

    def run(self, script, check=True, **environment):
        """A shell script as root, inside; its output."""
        done = subprocess.run(["chroot", self.root, "sh", "-ec", script], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment})
        assert done.returncode == 0 or not check, done.stdout
        return done.stdout

    def start(self, user, *command, **environment):
        """A process of a user inside, until the end."""
        with open(self.home / "log", "ab") as log:
            self.processes.append(subprocess.Popen(
                ["chroot", self.root, "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/bin", **environment}))
        return self.processes[-1]

    def running(self):
        """The commands that run inside."""
        return [(place.parent / "cmdline").read_text() for place in pathlib.Path("/proc").glob("[0-9]*/root")
                if os.path.realpath(place) == str(self.root)]

    @property
    def log(self):
        return (self.home / "log").read_text(errors="replace")

    def write(self, path, text, mode=0o644):
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def exists(self, path):
        return os.path.lexists(self.root / path.lstrip("/"))

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text()

    def unpack(self):
        """The archive, in /opt; its directory there."""
        subprocess.run(["tar", "-xzf", ARCHIVE, "-C", self.root / "opt"], check=True)
        return f"/opt/{ARCHIVE.name.removesuffix('.tar.gz')}"

    def take_in(self, file):
        (self.root / "root" / file.name).write_bytes(file.read_bytes())
        return f"/root/{file.name}"

    def end(self):
        for process in reversed(self.processes):
            stop(process)
        subprocess.run(["umount", "-R", self.root], check=True)
        subprocess.run(["rm", "-rf", self.home], check=True)


__all__ = ["ARCHIVE", "PACKAGE", "RELEASE", "System", "wait_for"]
