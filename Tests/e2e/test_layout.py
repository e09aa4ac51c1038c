"""The rooms of Sources are as Sources/README.md draws them, and no arrow points up."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
# What the system and the packages bring.
PLAIN = ("ArgumentParser", "Configuration", "Crypto", "FoundationEssentials", "Glibc", "Synchronization")


def drawn():
    """Each room of the table with what it may know, in the table's order."""
    rows = re.findall(r"^\| `([\w-]+)` \| .* \|([\w ]*)\|$", (SOURCES / "README.md").read_text(), re.M)
    assert len(rows) == len(dict(rows))
    return {room: set(known.split()) for room, known in rows}


def imported(room):
    text = "\n".join(file.read_text() for file in (SOURCES / room).rglob("*.swift"))
    return set(re.findall(r"^import (\w+)$", text, re.M)) - set(PLAIN)


def declared():
    """The dependencies of each target in Package.swift."""
    package = (ROOT / "Package.swift").read_text()
    targets = re.findall(r'\.(?:executableT|t)arget\(\s*name: "([\w-]+)"(.*?)(?=\.(?:executableT|t)arget\(|\btests\()',
                         package, re.S)
    result = {}
    for name, body in targets:
        found = re.search(r"dependencies: \[(.*?)\],\s*(?:path|swiftSettings)", body, re.S)
        text = re.sub(r"\.product\([^)]*\)", "", found.group(1)) if found else ""
        result[name] = set(re.findall(r'"(\w+)"', text))
    return result


def test_every_room_is_drawn_and_nothing_else():
    assert set(drawn()) == {path.name for path in SOURCES.iterdir() if path.is_dir()}


def test_the_arrows_drawn_are_the_imports_that_exist():
    rooms = drawn()
    assert {room: imported(room) for room in rooms} == rooms


def test_no_arrow_points_up():
    order = list(drawn())
    upwards = [(room, other) for room, known in drawn().items() for other in known
               if order.index(other) <= order.index(room)]
    assert upwards == []


def test_package_swift_declares_what_is_imported():
    targets = declared()
    assert {room: targets[room] for room in drawn()} == drawn()


def test_no_edge_knows_the_decision_and_the_pure_rooms_are_safe():
    rooms = drawn()
    for edge in ("FastCGI", "Goods", "FlatFiles", "LNbits", "Curl", "POSIX"):
        assert "Paywall" not in rooms[edge]
    pure = ("Paywall", "Metrics", "Store", "Wallets", "HTTP", "L402", "Macaroons", "Lightning", "Text")
    for room in pure:
        assert not rooms[room] & {"POSIX", "Curl", "FastCGI", "FlatFiles", "LNbits", "Goods", "Settings"}
        for file in (SOURCES / room).rglob("*.swift"):
            assert not re.search(r"\bunsafe [\w&]", re.sub(r"//.*|\"[^\"\n]*\"", "", file.read_text())), file
            assert "import Glibc" not in file.read_text(), file


def test_every_file_that_is_named_is_there():
    text = (SOURCES / "README.md").read_text()
    named = set(re.findall(r"`((?:[A-Z]\w+|l402-fcgi)/[\w+/]+)`", text))
    assert len(named) > 20
    for name in named:
        room, _, file = name.partition("/")
        places = list(SOURCES.glob(f"{name}.swift")) + list(SOURCES.glob(f"*/{name}.swift")) + [
            place for place in (SOURCES / name, ) if place.exists()]
        assert places, f"{name}: no such file"


def test_no_room_is_named_like_a_type_in_it():
    """Such a type could not be told from its module where another has one of the same name."""
    for room in drawn():
        text = "\n".join(file.read_text() for file in (SOURCES / room).rglob("*.swift"))
        assert not re.search(rf"^(?:\w+ )*(?:struct|class|enum|protocol|actor|typealias) {re.escape(room)}\b", text, re.M), room


def test_nothing_is_public_since_there_is_no_library():
    for file in SOURCES.rglob("*.swift"):
        assert not re.search(r"^\s*(?:public|open) (?:\w+ )*(?:struct|class|enum|protocol|func|var|let|init|extension)\b", file.read_text(), re.M), file
