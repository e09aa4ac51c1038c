"""What a use is, once for the tests (test_uses.py) and for the manual (nginx/man/l402-http.7).

    python3 Tests/e2e/uses.py        writes the table into the manual
"""
import dataclasses
import pathlib

# Who hands the goods over, and so who knows what became of them.
COLUMNS = {
    "nginx": "nginx: serve=@name, serve=/prefix/",
    "auth": "nginx: auth_request",
    "gate": "the gate itself, serve=file: and serve=http, behind nginx",
    "lighttpd": "the same behind lighttpd: responder, CGI",
    "apache": "the same behind Apache",
    "authorizer": "lighttpd: Authorizer",
}

# Each server's mode (servers.MODES), what the goods are, whose column it is.
WAYS = [
    ("nginx-responder", "backend", "nginx"), ("nginx-responder", "files", "nginx"),
    ("nginx-cgi", "backend", "nginx"), ("nginx-cgi", "files", "nginx"),
    ("nginx-auth", "backend", "auth"), ("nginx-auth", "files", "auth"),
    ("lighttpd-authorizer", "backend", "authorizer"), ("lighttpd-authorizer", "files", "authorizer"),
    ("nginx-gate", "backend", "gate"), ("nginx-gate", "files", "gate"),
    ("lighttpd-responder", "backend", "lighttpd"), ("lighttpd-responder", "files", "lighttpd"),
    ("lighttpd-cgi", "backend", "lighttpd"), ("lighttpd-cgi", "files", "lighttpd"),
    ("apache-proxy", "backend", "apache"), ("apache-proxy", "files", "apache"),
    ("apache-fcgid", "backend", "apache"), ("apache-fcgid", "files", "apache"),
    ("apache-cgi", "backend", "apache"), ("apache-cgi", "files", "apache"),
]

TAKEN, NOT = "taken", "not taken"
# Nobody tells the gate what became of the request; so it stays taken.
UNTOLD = "taken (untold)"


@dataclasses.dataclass(frozen=True)
class Row:
    """What can happen to a request that has been let in."""
    name: str
    words: str
    # The goods that it can happen to.
    goods: str
    # What becomes of the use. (Of lighttpd's Authorizer see "expected".)
    use: str
    # What the client sees; 0 for nothing.
    status: int
    # Where it is otherwise: a status, a use or both, by column; None where it cannot happen.
    but: dict = dataclasses.field(default_factory=dict)

    def expected(self, column):
        """The status and the use in a column; `None` where it cannot happen."""
        status, use = self.status, self.use
        if column == "authorizer" and use == NOT:
            use = UNTOLD
        # Behind Apache and lighttpd it is as behind nginx, but for what is told otherwise.
        found = self.but.get(column, self.but.get("gate", ()) if column in ("apache", "lighttpd") else ())
        if found is None:
            return None
        for other in found if isinstance(found, tuple) else (found,):
            status, use = (other, use) if isinstance(other, int) else (status, other)
        return status, use


ONLY_NGINX = {"auth": None, "gate": None, "authorizer": None}
ROWS = [
    Row("get", "200", "backend files", TAKEN, 200),
    Row("post", "200 to POST", "backend", TAKEN, 200),
    Row("part", "206, the first of an address", "files", TAKEN, 206),
    Row("empty", "204 of the backend", "backend", TAKEN, 204),
    Row("head", "HEAD", "backend files", NOT, 200),
    Row("unchanged", "304", "files", NOT, 304),
    Row("unchanged-backend", "304 of the backend", "backend", NOT, 304),
    Row("slash", "redirect of the backend that adds a slash", "backend", NOT, 307),
    Row("secure", "redirect of the backend from http to https", "backend", NOT, 301),
    Row("sold", "redirect of the backend to a path that the same service sells", "backend", NOT, 302),
    Row("elsewhere", "any other redirect of the backend, such as a signed link", "backend", TAKEN, 302),
    Row("head-elsewhere", "HEAD, answered by such a redirect", "backend", TAKEN, 302),
    Row("post-slash", "redirect of the backend in answer to POST", "backend", TAKEN, 307),
    Row("refused-404", "4xx of the backend: 404", "backend", TAKEN, 404),
    Row("refused-405", "4xx of the backend: 405", "backend", TAKEN, 405),
    Row("refused-416", "4xx of the backend: 416", "backend", TAKEN, 416),
    Row("failed-500", "5xx of the backend: 500", "backend", NOT, 500),
    Row("failed-501", "5xx of the backend: 501", "backend", NOT, 501),
    Row("failed-503", "5xx of the backend: 503", "backend", NOT, 503),
    Row("dies", "the backend closes before a byte of its answer", "backend", NOT, 502, {"authorizer": 500}),
    Row("silent", "the backend says nothing until it is given up", "backend", NOT, 504),
    Row("half", "the backend dies in the middle of its answer", "backend", TAKEN, 200),
    Row("missing", "no such file", "files", NOT, 404),
    Row("directory", "a directory without its slash", "files", NOT, 301),
    Row("bare-directory", "a directory without an index", "files", NOT, 403, {"gate": 404}),
    Row("index", "a directory with an index", "files", TAKEN, 200, {"gate": None}),
    Row("range", "416 of the server", "files", NOT, 416),
    Row("condition", "412 of the server", "files", NOT, 412, {"authorizer": None}),
    Row("method", "405 of the server", "files", NOT, 405, {"gate": None, "authorizer": None, "nginx": None}),
    Row("limit", "429 of limit_req beside the goods", "backend", NOT, 429, {"gate": None, "authorizer": None, "auth": None}),
    Row("unknown-name", "serve=@name that is no location", "backend", NOT, 502, ONLY_NGINX),
    Row("unknown-prefix", "serve=/prefix/ that is no location", "files", NOT, 502, ONLY_NGINX),
    Row("left", "GET: the client leaves before the first byte", "backend", NOT, 0,
        {"apache": UNTOLD, "lighttpd": UNTOLD}),
    Row("left-post", "POST: the client leaves when the backend has it", "backend", TAKEN, 0),
    Row("left-middle", "the client leaves in the middle of the answer", "backend files", TAKEN, 0),
    Row("events", "the client leaves an event stream", "backend", TAKEN, 0),
    Row("socket", "101 of a WebSocket", "backend", TAKEN, 101, {"gate": None, "authorizer": None}),
]


MANUAL = pathlib.Path(__file__).resolve().parents[2] / "nginx/man/l402-http.7"
BEGIN = '.\\" Made by Tests/e2e/uses.py, down to the end of it; a test holds the two equal.\n'
END = '.\\" End of what Tests/e2e/uses.py made.\n'


def section():
    """What stands between BEGIN and END of the manual."""
    def cell(row, column):
        found = row.expected(column)
        return "\\-" if found is None else {TAKEN: "taken", NOT: "not", UNTOLD: "taken (*)"}[found[1]]

    lines = [
        "A use, and a free request, buys one delivery: the answer to one request, handed over. What is not that costs",
        "nothing. The columns say who hands the goods over:", ".PP", ".nf",
        *[f"{number}  {words}" for number, words in enumerate(COLUMNS.values(), 1)], ".fi", ".PP", ".TS", "tab(|);",
        "lb lb lb lb lb lb lb", "lx l l l l l l.", "|".join(["what happened", *"123456"]), "_",
        *["|".join([f"T{{\n{row.words}\nT}}", *[cell(row, column) for column in COLUMNS]]) for row in ROWS], ".TE", ".PP",
        "(*) Nobody tells the gate, so that the use stays taken: lighttpd says nothing of an answer to an Authorizer (where",
        "that matters, let the gate hand the goods over, responder.conf), and neither lighttpd nor Apache says anything of",
        "a client that left while a backend was at work.", ".PP",
        "A request that a web server asks about twice (index, try_files, error_page, an internal redirect) takes one use.",
        "A page of the site's own, to which error_page leads instead of a missing file, is an answer and is sold.", ".PP",
        "Of column 1 and 2: nginx calls the gate after the answer, where there may be something to return, and when the",
        "goods failed; an answer of 2xx costs no such call. A 5xx shows the client",
        ".B L402\\-Refunded: 1", "if a use came back."]
    return "\n".join(lines) + "\n"


def parts():
    """What the manual has before the section, in it and behind it."""
    before, _, rest = MANUAL.read_text().partition(BEGIN)
    middle, _, after = rest.partition(END)
    return before, middle, after


if __name__ == "__main__":
    head, _, tail = parts()
    MANUAL.write_text(head + BEGIN + section() + END + tail)
