"""A real OpenLDAP of the tests' own: people and groups of dc=quay,dc=example, with and without TLS."""

import shutil
import subprocess
from pathlib import Path

from tests.engines.certificates import Authority
from tests.engines.commands import CommandFailed, run_command, tail, wait_until
from tests.engines.run import Run, current
from tests.servers.ports import free_port

SUFFIX = "dc=quay,dc=example"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
ADMIN, SECRET = f"cn=admin,{SUFFIX}", "directory-canary-4711"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCACertificateFile {folder}/tls/ca.pem
TLSCertificateFile {folder}/tls/cert.pem
TLSCertificateKeyFile {folder}/tls/key.pem
disallow bind_anon
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {secret}
directory {folder}/db
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{admin}" write by * none
"""
START = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: quay
o: Quay

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups
"""


class DirectoryServer:
    """`with DirectoryServer() as directory`: `url` (plain, for StartTLS), `tls_url`, and `ca`, the file of its CA."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run or current()
        self.port, self.tls_port = free_port(), free_port()
        self.folder = self.run.folder / f"directory-{self.port}"
        self.url, self.tls_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.ca = str(self.folder / "tls" / "ca.pem")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "DirectoryServer":
        """Makes it on the first start; waits until it answers."""
        if not self.folder.exists():
            (self.folder / "db").mkdir(parents=True)
            Authority("CA of the directory").server("127.0.0.1", "localhost").write(self.folder / "tls")
            told = {"folder": self.folder, "suffix": SUFFIX, "admin": ADMIN, "secret": SECRET}
            (self.folder / "slapd.conf").write_text(CONFIGURATION.format(**told))
            run_command(_program("slapadd"), "-f", self._configuration, stdin=START.encode())
        self._process = self.run.spawn(
            *(_program("slapd"), "-f", self._configuration, "-d", "none"),
            *("-h", f"{self.url} {self.tls_url}"),
            log=self.folder / "log",
        )
        wait_until(self._answers, "the directory to answer", 30, explain=lambda: tail(self.folder / "log"))
        self.run.note("OpenLDAP")
        return self

    @property
    def _configuration(self) -> str:
        return str(self.folder / "slapd.conf")

    def _answers(self) -> bool:
        try:
            self.command("ldapwhoami")
        except CommandFailed:
            return False
        return True

    def command(self, name: str, *args: str, stdin: str = "") -> str:
        """A command of OpenLDAP's, as the directory's own administrator."""
        return run_command(name, "-x", "-H", self.url, "-D", ADMIN, "-w", SECRET, *args, stdin=stdin.encode())

    def add_person(self, name: str, password: str, email: str = "") -> str:
        """Their DN."""
        dn = f"uid={name},{PEOPLE}"
        mail = f"mail: {email}\n" if email else ""
        told = f"dn: {dn}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n{mail}userPassword: {password}\n"
        self.command("ldapadd", stdin=told)
        return dn

    def add_group(self, name: str, *members: str) -> None:
        lines = "".join(f"member: uid={member},{PEOPLE}\n" for member in members)
        self.command("ldapadd", stdin=f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{lines}")

    def change(self, dn: str, change: str) -> None:
        self.command("ldapmodify", stdin=f"dn: {dn}\n{change}\n")

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)

    def __enter__(self) -> "DirectoryServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _program(name: str) -> str:
    return shutil.which(name) or str(Path("/usr/sbin") / name)
