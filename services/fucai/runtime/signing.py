"""Ed25519 keys of terminals (RFC 8032): making, keeping, signing and checking statements. Knows no registry."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from fucai.domain.chain import SIGNED_PREFIX
from fucai.v1 import statement_pb2

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class KeyFileError(ValueError):
    """A key file cannot be used; the message says why and what to do."""


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key; the registry has them in hexadecimal."""
    return key.public_key().public_bytes_raw()


def sign_statement(key: Ed25519PrivateKey, statement: statement_pb2.Statement) -> statement_pb2.SignedStatement:
    """The statement, serialised and signed."""
    content = statement.SerializeToString(deterministic=True)
    return statement_pb2.SignedStatement(
        content=content, signature=key.sign(SIGNED_PREFIX + content), public_key=public_bytes(key)
    )


def is_signed_by(signed: statement_pb2.SignedStatement) -> bool:
    """Whether the signature fits the content and the public key beside it. Whose key that is, is another question."""
    try:
        Ed25519PublicKey.from_public_bytes(signed.public_key).verify(signed.signature, SIGNED_PREFIX + signed.content)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The private key kept in a PEM file that only its owner may read; made on the first call.

    Raises:
        KeyFileError: there is a file, but no such key in it, or others may read it.
        OSError: the file cannot be read or written.
    """
    if not path.exists():
        return _create(path)
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path}: others may read this private key; chmod 600 it, and renew the key if they have")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: holds no private key without password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: holds another kind of key; Ed25519 is needed")
    return key


def _create(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 (mode first)
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
