"""What people download, on Debian 11, 12 and 13: it starts, sells behind nginx and on shared hosting, and goes."""
import pytest
import requests
from parts import free_port
from system import wait_for

RULES = "GET /articles/** price=3 uses=2 serve=/l402-files/\nGET /open/** free serve=/l402-files/\n"


def listens(port):
    def answers():
        try:
            return requests.get(f"http://127.0.0.1:{port}/.l402/nothing", timeout=10).status_code
        except requests.ConnectionError:
            return None
    return answers


def buy(url, wallet):
    """Sells one request: refused, paid for, given; not given without proof, nor more often than was bought."""
    refused = requests.get(url, timeout=30)
    assert refused.status_code == 402, refused.text
    challenge = refused.json()
    proof = {"Authorization": f"L402 {challenge['macaroon']}:{wallet.pay(challenge['invoice'])}"}
    goods = [requests.get(url, headers=proof, timeout=30) for _ in range(3)]
    assert [answer.status_code for answer in goods] == [200, 200, 402]
    assert requests.get(url, timeout=30).status_code == 402
    return goods[0].text


def nginx(system, port):
    system.write("/srv/l402-files/articles/first.html", "<h1>paid article</h1>\n")
    system.write("/etc/nginx/nginx.conf", f"""
user www-data; daemon off; pid /run/nginx.pid; events {{ }}
http {{ access_log off; error_log /var/log/nginx/error.log;
  server {{ listen 127.0.0.1:{port}; include l402/server.conf;
    location /l402-files/ {{ internal; include l402/answer.conf; alias /srv/l402-files/; }} }} }}
""")
    system.start("root", "nginx")
    wait_for("nginx", listens(port))


def gate(system, wallet, program):
    system.write("/etc/l402/rules", RULES)
    system.write("/etc/l402/lnbits.key", wallet.key + "\n", 0o640)
    system.run("chgrp l402 /etc/l402/lnbits.key; install -d -o l402 -g www-data -m 0750 /run/l402;"
               "install -d -o l402 -g l402 -m 0700 /var/lib/l402")
    system.start("l402", program, LNBITS_URL=wallet.url, LNBITS_KEY_FILE="/etc/l402/lnbits.key",
                 L402_RULES="/etc/l402/rules", L402_LISTEN="unix:/run/l402/l402.sock")
    wait_for("the gate", lambda: "ready:" in system.log)


def test_installed_from_the_archive_it_sells_behind_nginx_and_goes_again(system, wallet):
    directory = system.unpack()
    told = system.run(f"{directory}/install")
    assert "/usr/local/bin/l402-fcgi" in told and "/etc/nginx/l402/server.conf" in told
    assert "l402-fcgi" in system.run("l402-fcgi --version; l402 --version; l402 check /etc/l402/rules || true")
    port = free_port()
    gate(system, wallet, "/usr/local/bin/l402-fcgi")
    nginx(system, port)
    assert buy(f"http://127.0.0.1:{port}/articles/first.html", wallet) == "<h1>paid article</h1>\n"

    told = system.run(f"{directory}/install --uninstall")
    assert "/etc/nginx/l402 stays" in told and system.exists("/etc/nginx/l402/server.conf")
    assert not system.exists("/usr/local/bin/l402-fcgi") and system.exists("/var/lib/l402/keys")
    system.run("nginx -t")


def test_the_install_script_goes_into_a_directory_and_leaves_nothing(system):
    directory = system.unpack()
    before = system.run("find / -xdev -not -path '/proc*' -not -path '/dev*' | sort")
    system.run(f"DESTDIR=/root/image PREFIX=/usr {directory}/install")
    assert system.exists("/root/image/usr/bin/l402") and system.exists("/root/image/etc/systemd/system/l402.service")
    assert "/usr/bin/l402-fcgi" in system.read("/root/image/etc/systemd/system/l402.service")
    assert not system.exists("/usr/bin/l402")
    system.run(f"DESTDIR=/root/image PREFIX=/usr {directory}/install --uninstall")
    left = system.run("cd /root/image; find . -type f | sort").split()
    assert left == ["./etc/l402/env", "./etc/l402/rules"]
    system.run("rm -r /root/image")
    assert system.run("find / -xdev -not -path '/proc*' -not -path '/dev*' | sort") == before


def test_an_upgrade_by_the_script_keeps_rules_and_what_was_changed(system):
    directory = system.unpack()
    system.run(f"{directory}/install")
    system.write("/etc/l402/rules", "* /** free\n")
    system.write("/etc/nginx/l402/goods.conf", "# mine\n")
    told = system.run(f"{directory}/install")
    assert "goods.conf was changed" in told
    assert system.read("/etc/l402/rules") == "* /** free\n"
    assert system.read("/etc/nginx/l402/goods.conf.old") == "# mine\n" != system.read("/etc/nginx/l402/goods.conf")


def test_without_proc_the_programs_hear_their_arguments(system):
    directory = system.unpack()
    system.run("umount /proc")
    for program in ("l402-fcgi", "l402"):
        assert system.run(f"{directory}/bin/{program} --version").startswith(f"{program} ")
    assert "1" in system.run(f"{directory}/bin/l402 check {directory}/nginx/example.rules || true")


@pytest.mark.parametrize("handler", ["fcgid-script", "cgi-script"])
def test_it_sells_on_shared_hosting_for_a_user_without_root(system, wallet, handler):
    port = free_port()
    directory = system.unpack()
    system.run("useradd --create-home --home-dir /home/me me; chmod 755 /home/me")

    def shipped(name, **changed):
        text = system.read(f"{directory}/nginx/apache/{name}")
        for old, new in changed.items():
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        return text

    web = "/home/me/public_html/shop"
    htaccess = shipped("htaccess").replace("AddHandler fcgid-script .fcgi", f"AddHandler {handler} .fcgi")
    system.write(f"{web}/.htaccess", htaccess)
    system.write(f"{web}/secret.txt", "not for the web\n")
    system.write("/home/me/l402/env", shipped("env", **{
        "https://lnbits.example.org": wallet.url, "0" * 32: wallet.key}), 0o600)
    system.write("/home/me/l402/rules", shipped("rules").replace("uses=unlimited valid=30d", "uses=2"))
    system.write("/home/me/l402/paid/shop/articles/first.html", "<h1>paid article</h1>\n")
    system.write("/home/me/l402/paid/shop/index.html", "welcome\n")
    system.run(f"cp {directory}/bin/l402-fcgi {web}/l402.fcgi; chmod 755 {web}/l402.fcgi;"
               "mkdir /home/me/apache; chmod 700 /home/me/l402; chown -R me:me /home/me")
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in (
        "mpm_event", "authz_core", "env", "mime", "rewrite", "fcgid", "cgid"))
    system.write("/home/me/apache/httpd.conf", f"""{modules}
ServerRoot /home/me/apache
ServerName localhost
Listen 127.0.0.1:{port}
PidFile /home/me/apache/pid
ErrorLog /home/me/apache/error.log
DefaultRuntimeDir /home/me/apache
Mutex file:/home/me/apache default
TypesConfig /etc/mime.types
FcgidIPCDir /home/me/apache
FcgidProcessTableFile /home/me/apache/processes
ScriptSock /home/me/apache/cgi.sock
DocumentRoot /home/me/public_html
<Directory /home/me/public_html>
    AllowOverride All
    Require all granted
</Directory>
""")
    system.start("me", "apache2", "-DFOREGROUND", "-f", "/home/me/apache/httpd.conf")
    wait_for("Apache", listens(port))
    url = f"http://127.0.0.1:{port}/shop"
    # The gate's own addresses are below the directory that is sold.
    assert requests.get(f"{url}/.l402/health", timeout=30).json()["status"] == "ok"
    assert "services" in requests.get(f"{url}/.well-known/l402-services", timeout=30).json()
    assert requests.get(f"{url}/index.html", timeout=30).text == "welcome\n"
    assert buy(f"{url}/articles/first.html", wallet) == "<h1>paid article</h1>\n"
    for hidden in ("secret.txt", ".htaccess", "l402.fcgi"):
        assert "not for the web" not in requests.get(f"{url}/{hidden}", timeout=30).text
    assert system.run("ls -A /home/me/l402/state").split(), "its state is the user's own"
