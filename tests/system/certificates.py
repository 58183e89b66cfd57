"""Certificates of a small authority, made by openssl(1), for servers at localhost."""

import pathlib
import ssl
import subprocess


class Authority:
    """Signs what it is asked to; `path` is what clients trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path, self.key = self.folder / "authority.pem", self.folder / "authority.key"
        openssl("req", "-x509", *KEY, "-subj", "/CN=authority of a test", "-days", "10",
                # Python 3.13 and others take no authority that does not say what it is for.
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self.key, "-out", self.path)

    def sign(self, name, days=10):
        """The paths of a certificate for localhost, whose common name is `name`, and of its
        key."""
        request, certificate = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        extensions, key = self.folder / f"{name}.ext", self.folder / f"{name}.key"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                              "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\n"
                              "authorityKeyIdentifier=keyid\n")
        openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key,
                "-CAcreateserial", "-days", str(days), "-extfile", extensions,
                "-out", certificate)
        return certificate, key

    def context(self):
        """For clients that trust it."""
        return ssl.create_default_context(cafile=self.path)


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def common_name(connection):
    """Of the certificate that the other end of an ssl.SSLSocket has shown."""
    return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]
