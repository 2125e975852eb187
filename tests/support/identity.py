# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS identities for tests: keys of their own for every server and every client, and the authority that signs for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import BasicConstraints, Certificate, CertificateBuilder, Name, NameAttribute, random_serial_number
from cryptography.x509.oid import NameOID

BEFORE, AFTER = timedelta(days=1), timedelta(days=30)
"""For how long a certificate is good, around the time at which it is made."""


@dataclass(frozen=True)
class Identity:
    """The files of one end of a TLS connection: its key, the certificate of it, and that of the authority whom it trusts."""

    key: Path
    certificate: Path
    authority: Path

    @property
    def options(self) -> list[str]:
        """The options by which all of OVS takes an identity."""
        return [f"--private-key={self.key}", f"--certificate={self.certificate}", f"--ca-cert={self.authority}"]


class Authority:
    """A certification authority whose certificate lies in `directory`; its key stays in memory."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "authority.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority")
        _write(self.certificate, self._sign(self._name, self._key.public_key(), authority=True))

    def issue(self, directory: Path, name: str) -> Identity:
        """Create the key and the certificate of a program in this directory."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = Identity(directory / f"{name}.key.pem", directory / f"{name}.certificate.pem", self.certificate)
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(made.certificate, self._sign(_name(name), key.public_key(), authority=False))
        return made

    def _sign(self, subject: Name, key: ec.EllipticCurvePublicKey, *, authority: bool) -> Certificate:
        now = datetime.now(timezone.utc)
        request = CertificateBuilder(self._name, subject, key, random_serial_number(), now - BEFORE, now + AFTER)
        return request.add_extension(BasicConstraints(authority, None), critical=True).sign(self._key, SHA256())


def _name(text: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, certificate: Certificate) -> None:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
