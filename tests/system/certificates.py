"""Certificates of a small authority, made by openssl(1), for servers at localhost."""

import pathlib
import ssl
import subprocess
import tempfile


class Authority:
    """Signs what it is asked to; `path` is what clients trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path, self.key = self.folder / "authority.pem", self.folder / "authority.key"
        openssl("req", "-x509", *KEY, "-subj", "/CN=authority of a test", "-days", "10",
                # Python 3.13 and others take no authority that does not say what it is for.
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self.key, "-out", self.path)

    def sign(self, name, expired=False):
        """The paths of a certificate for localhost, whose common name is `name`, and of its
        key."""
        request, certificate = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        extensions, key = self.folder / f"{name}.ext", self.folder / f"{name}.key"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                              "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\n"
                              "authorityKeyIdentifier=keyid\n")
        openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        sign_request(request, certificate, self.path, self.key, "-extfile", extensions,
                     expired=expired)
        return certificate, key

    def sign_authority(self, folder):
        """Another one, in this folder, which is trusted by those who trust this one."""
        middle = Authority(folder)
        request, extensions = middle.folder / "authority.csr", middle.folder / "authority.ext"
        extensions.write_text("basicConstraints=critical,CA:TRUE\n"
                              "keyUsage=critical,keyCertSign,cRLSign\n")
        openssl("req", "-new", "-key", middle.key, "-subj", "/CN=authority in between",
                "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key,
                "-CAcreateserial", "-days", "10", "-extfile", extensions, "-out", middle.path)
        return middle

    def context(self):
        """For clients that trust it."""
        return ssl.create_default_context(cafile=self.path)


def sign_request(request, certificate, authority, key, *words, expired=False):
    """By openssl-ca(1), since openssl-x509(1) signs nothing that has expired from version 3.5 on."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "index.txt").write_text("")
        (pathlib.Path(folder) / "config").write_text(f"""[ca]
default_ca = it
[it]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
""")
        openssl("ca", "-batch", "-notext", "-config", f"{folder}/config", "-in", request,
                "-out", certificate, "-cert", authority, "-keyfile", key,
                *(EXPIRED if expired else ("-days", "10")), *words)


EXPIRED = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def common_name(connection):
    """Of the certificate that the other end of an ssl.SSLSocket has shown."""
    return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]
