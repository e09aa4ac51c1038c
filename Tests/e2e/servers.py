"""The shipped configuration of each web server, run as it stands but for ports and paths."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from parts import BIN, ROOT, Gate, free_port, stop, wait_for

SHIPPED = ROOT / "nginx"
# What the gate hands over itself, or lets the server hand over.
PROXIED = {"api": "serve=http://127.0.0.1:8403", "files": "serve=file:/srv/l402-files"}
RULES = """
GET            /api/free/**   price=4 free=2/day service=free {api}
*              /api/open/**   free {api}
GET            /api/gold/**   price=50 service=gold {api}
GET            /api/once/**   price=2 service=once {api}
GET,POST,PUT   /api/**        price=2 uses=50 service=api {api}
GET            /open/**       free {files}
GET            /articles/**   price=5 uses=50 service=articles {files}
"""


def find(program):
    return shutil.which(program) or f"/usr/sbin/{program}"


class Served:
    """One web server with the gate in it, as one of the shipped configurations puts it there."""

    def __init__(self, directory, wallet, backend_port, targets, rules=RULES, **environment):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(mode=0o755)
        self.wallet, self.backend_port = wallet, backend_port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes = []
        self.gate = None
        files = self.directory / "files"
        (files / "articles").mkdir(parents=True)
        (files / "open").mkdir()
        (files / "open" / "x.txt").write_text("open to all\n")
        (files / "articles" / "first.html").write_text("<h1>paid article</h1>\n")
        (files / "articles" / "zwölf Äpfel.txt").write_text("twelve apples\n")
        with open(files / "articles" / "large.bin", "wb") as large:
            block = bytes(range(256)) * 4096
            for _ in range(100):
                large.write(block)
        self.program = self.directory / "l402.fcgi"
        shutil.copy(BIN / "l402-fcgi", self.program)
        self.state = self.directory / "private" / "state"
        self.state.parent.mkdir()
        self.environment_file = self.state.parent / "env"
        self.rules = self.state.parent / "rules"
        self.rules.write_text(self.adapt(rules.format(**targets)))
        self.environment = {
            "LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key, "L402_RULES": str(self.rules),
            "L402_STATE_DIR": str(self.state), "L402_MAX_PENDING": "1000", **environment}
        # What a test adds to nginx.
        self.more = {"http": "", "server": ""}
        self.environment_file.write_text("".join(f"{name}={value}\n" for name, value in self.environment.items()))

    def adapt(self, text):
        """A shipped file with this run's ports and paths."""
        for shipped, ours in (
                ("127.0.0.1:8402", f"127.0.0.1:{self.port}"),
                ("127.0.0.1:8403", f"127.0.0.1:{self.backend_port}"),
                ('"port" => 8403', f'"port" => {self.backend_port}'),
                ("/srv/l402-files", f"{self.directory}/files"),
                ("/run/lighttpd/l402.sock", f"{self.directory}/l402.sock"),
                ("/run/l402/l402.sock", f"{self.directory}/l402.sock"),
                ("/run/fcgiwrap.socket", f"{self.directory}/fcgiwrap.sock"),
                ("/etc/l402/env", str(self.environment_file)),
                ("/home/me/l402/env", str(self.environment_file)),
                ("/usr/bin/l402-fcgi", str(self.program))):
            text = text.replace(shipped, ours)
        return text

    def private_to(self, user):
        """State and settings belong to the user that the gate runs as."""
        for path in (self.state.parent, *self.state.parent.rglob("*")):
            shutil.chown(path, user)
        self.state.parent.chmod(0o700)

    def start_gate(self, **more):
        self.gate = Gate(self.state.parent, {
            **self.environment, **more, "L402_LISTEN": f"unix:{self.directory}/l402.sock"}).start()

    def spawn(self, *command):
        self.processes.append(subprocess.Popen(
            [str(word) for word in command], env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
            stderr=open(self.directory / "stderr.log", "ab")))

    def wait(self):
        def answers():
            if self.processes[-1].poll() is not None:
                raise AssertionError(self.log)
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for("the web server", answers)
        return self

    @property
    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.directory.rglob("*.log")))

    def stop(self):
        for process in reversed(self.processes):
            stop(process)
        if self.gate:
            self.gate.stop()

    # --- nginx ---

    def nginx(self, shipped):
        home = self.directory / "nginx"
        shutil.copytree(SHIPPED / "l402", home / "l402")
        site = self.adapt((SHIPPED / shipped).read_text())
        place = site.rindex("}")
        (home / "site.conf").write_text(site[:place] + self.more["server"] + site[place:])
        snippet = home / "l402" / "endpoints.conf"
        snippet.write_text(self.adapt(snippet.read_text()))
        temp = "".join(f"{kind}_temp_path {home}/{kind};" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (home / "nginx.conf").write_text(
            f"daemon off; pid {home}/pid; error_log {home}/error.log info; worker_processes 2;"
            f"events {{ worker_connections 4096; }} worker_rlimit_nofile 8192;"
            f"http {{ access_log off; {temp} {self.more['http']} include site.conf; }}")
        self.spawn(find("nginx"), "-p", home, "-c", home / "nginx.conf", "-e", home / "error.log")
        return self.wait()

    # --- lighttpd ---

    def lighttpd(self, shipped, keeps=lambda line: True):
        home = self.directory / "lighttpd"
        home.mkdir()
        index = 'index-file.names = ( "index.html" )' if shipped == "authorizer.conf" else ""
        lines = self.adapt((SHIPPED / "lighttpd" / shipped).read_text()).splitlines(True)
        (home / "l402.conf").write_text("".join(filter(keeps, lines)))
        (home / "lighttpd.conf").write_text(f"""
server.document-root = "{self.directory}/files"
server.bind = "127.0.0.1"
server.port = {self.port}
server.errorlog = "{home}/error.log"
server.upload-dirs = ( "{home}" )
server.max-connections = 2048
server.max-fds = 8192
mimetype.assign = ( ".html" => "text/html", ".txt" => "text/plain; charset=utf-8" )
{index}
include "{home}/l402.conf"
""")
        self.spawn(find("lighttpd"), "-D", "-f", home / "lighttpd.conf")
        return self.wait()

    # --- Apache ---

    def apache(self, site, modules):
        home = self.directory / "apache"
        home.mkdir()
        user = "www-data" if os.geteuid() == 0 else ""
        if user:
            shutil.chown(home, user)
            if not self.gate:
                self.private_to(user)
        loads = "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
            for name in ("mpm_event", "authz_core", "env", "mime", *modules))
        (home / "httpd.conf").write_text(f"""
{loads}
ServerRoot {home}
ServerName localhost
{f"User {user}" if user else ""}
{f"Group {user}" if user else ""}
Listen 127.0.0.1:{self.port}
PidFile {home}/pid
ErrorLog {home}/error.log
DefaultRuntimeDir {home}
Mutex file:{home} default
TypesConfig /etc/mime.types
# All processes from the start, and none ended for having little to do: it would take connections along.
ServerLimit 32
StartServers 32
MinSpareThreads 25
MaxSpareThreads 800
MaxRequestWorkers 800
DocumentRoot {self.directory}/files
{site}
""")
        self.spawn(find("apache2"), "-X" if os.environ.get("L402_TEST_ONE") else "-DFOREGROUND",
                   "-f", home / "httpd.conf")
        return self.wait()


def nginx_responder(served):
    served.start_gate()
    return served.nginx("example-site.conf")


def nginx_auth(served):
    served.start_gate()
    return served.nginx("auth-site.conf")


def nginx_cgi(served):
    wrapper = served.directory / "fcgiwrap.sock"
    served.spawn(find("fcgiwrap"), "-c", "8", "-f", "-s", f"unix:{wrapper}")
    wait_for("fcgiwrap", wrapper.exists)
    wrapper.chmod(0o777)
    return served.nginx("fcgiwrap-site.conf")


def lighttpd_authorizer(served):
    return served.lighttpd("authorizer.conf")


def lighttpd_responder(served):
    return served.lighttpd("responder.conf")


def lighttpd_external(served):
    """As responder.conf says for a gate that something else starts."""
    served.start_gate(L402_SENDFILE="on")
    started = ("bin-path", "bin-environment", "max-procs")
    return served.lighttpd("responder.conf", lambda line: not line.strip().startswith(tuple(f'"{name}"' for name in started)))


def lighttpd_cgi(served):
    return served.lighttpd("cgi.conf")


def apache_fcgid(served, sendfile=False):
    web = served.directory / "web"
    web.mkdir()
    htaccess = served.adapt((SHIPPED / "apache" / "htaccess").read_text())
    if sendfile:
        htaccess = htaccess.replace("#XSendFile On", "XSendFile On").replace("#SetEnv", "SetEnv")
    (web / ".htaccess").write_text(htaccess)
    shutil.copy(served.program, web / "l402.fcgi")
    return served.apache(f"""
{f"XSendFilePath {served.directory}/files" if sendfile else ""}
FcgidIPCDir {served.directory}/apache
FcgidProcessTableFile {served.directory}/apache/processes
FcgidMaxRequestLen 1073741824
FcgidOutputBufferSize 0
<VirtualHost *:{served.port}>
    DocumentRoot {web}
    <Directory {web}>
        AllowOverride All
        Require all granted
    </Directory>
</VirtualHost>
""", ["rewrite", "fcgid", *(["xsendfile"] if sendfile else [])])


def apache_sendfile(served):
    return apache_fcgid(served, sendfile=True)


def apache_proxy(served):
    served.start_gate()
    return served.apache(served.adapt((SHIPPED / "apache" / "site.conf").read_text()), ["proxy", "proxy_fcgi"])


def apache_cgi(served):
    site = served.adapt((SHIPPED / "apache" / "cgi.conf").read_text())
    return served.apache(f"ScriptSock {served.directory}/apache/cgi.sock\n" + site, ["alias", "cgid"])


NGINX = {"api": "serve=@api", "files": "serve=/l402-files/"}
NONE = {"api": "", "files": ""}
MODES = {
    "nginx-responder": (nginx_responder, NGINX),
    "nginx-auth": (nginx_auth, NONE),
    "nginx-cgi": (nginx_cgi, NGINX),
    "lighttpd-authorizer": (lighttpd_authorizer, NONE),
    "lighttpd-responder": (lighttpd_responder, PROXIED),
    "lighttpd-external": (lighttpd_external, PROXIED),
    "lighttpd-cgi": (lighttpd_cgi, PROXIED),
    "apache-fcgid": (apache_fcgid, PROXIED),
    "apache-sendfile": (apache_sendfile, PROXIED),
    "apache-proxy": (apache_proxy, PROXIED),
    "apache-cgi": (apache_cgi, PROXIED),
}
# Tried with the table of uses only.
MORE_MODES = {"nginx-gate": (nginx_responder, PROXIED)}


@contextlib.contextmanager
def serving(mode, wallet, backend_port, rules=RULES, lay_out=None, **environment):
    """One server of a mode while it is needed, in a directory that anybody may enter.

    `lay_out` is called with it before it is started."""
    start, targets = {**MODES, **MORE_MODES}[mode]
    base = pathlib.Path(tempfile.mkdtemp(prefix="l402-e2e-served-"))
    base.chmod(0o755)
    served = Served(base / mode, wallet, backend_port, targets, rules, **environment)
    served.mode = mode
    if lay_out:
        lay_out(served)
    try:
        start(served)
        yield served
    finally:
        served.stop()

        def is_gone():
            shutil.rmtree(base, ignore_errors=True)
            return not base.exists()

        # A gate that the server started may still write its last line.
        wait_for("the directory to be given up", is_gone)
