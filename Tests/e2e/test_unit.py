"""The systemd unit: where it finds the wallet's key, with credentials and, as systemd 239 has none, without."""
import os
import re
import subprocess

import pytest
from parts import ROOT

UNIT = (ROOT / "nginx/systemd/l402.service").read_text()


@pytest.mark.parametrize("variables,key", [
    ({}, "/etc/l402/lnbits.key"),
    ({"CREDENTIALS_DIRECTORY": "/run/credentials/l402.service"}, "/run/credentials/l402.service/lnbits.key"),
    ({"CREDENTIALS_DIRECTORY": "/run/credentials/l402.service", "LNBITS_KEY_FILE": "/srv/key"}, "/srv/key"),
])
def test_the_key_is_the_credential_where_there_is_one(variables, key, tmp_path):
    program = tmp_path / "l402-fcgi"
    program.write_text('#!/bin/sh\necho "$LNBITS_KEY_FILE"\n')
    program.chmod(0o755)
    [line] = re.findall(r"(?m)^ExecStart=/bin/sh -c '(.*)'$", UNIT)
    # systemd's own escape, and the program's place.
    script = line.replace("$$", "$").replace("/usr/bin/l402-fcgi", str(program))
    assert "%" not in line and not re.search(r"(?<!\$)\$(?!\$)", line), "nothing that systemd would replace"
    told = subprocess.run(["/bin/sh", "-c", script], env={"PATH": os.environ["PATH"], **variables},
                          capture_output=True, text=True, check=True)
    assert told.stdout.strip() == key


def test_systemd_239_loses_no_line_that_it_knows():
    # It does not know %d, the credentials' directory, nor programs without a path.
    assert not re.search(r"(?m)^[^#\n]*%", UNIT)
    for started in re.findall(r"(?m)^Exec\w+=(.*)", UNIT):
        assert started.startswith("/")
