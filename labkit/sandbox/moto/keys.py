"""Makes private keys from a given source of randomness, so that the same seed makes the same key.

The cryptography package draws keys from the system's source only. An RSA key is made here from two probable primes
(FIPS 186-5, appendix A.1.3, without its margin for certification): good for an emulator, not for anything else.
"""

from __future__ import annotations

from functools import cache
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec, rsa

PUBLIC_EXPONENT = 65537
_SIEVED = 1 << 16
_ROUNDS = 8
"""Rounds of the Miller-Rabin test: far more than random numbers of this size need (FIPS 186-5, table B.1)."""


def rsa_key(source: Random, bits: int) -> rsa.RSAPrivateKey:
    """Return an RSA key of a size in bits, drawn from `source`."""
    p = _prime(source, bits // 2)
    q = _prime(source, bits // 2)
    while q == p:
        q = _prime(source, bits // 2)
    d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public)
    # The validation would test the primes once more, which takes long.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def ec_key(source: Random, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    """Return a key on an elliptic curve, drawn from `source`."""
    # One bit less than the curve's order, so every number but 0 is a valid private key.
    return ec.derive_private_key(source.getrandbits(curve.key_size - 1) or 1, curve)


def _prime(source: Random, bits: int) -> int:
    """Return a prime whose two highest bits are set, so that the product of two such primes has twice as many bits."""
    while True:
        start = source.getrandbits(bits) | 0b11 << (bits - 2) | 1
        for candidate in _sieved(start):
            if candidate.bit_length() == bits and (candidate - 1) % PUBLIC_EXPONENT and _is_prime(candidate, source):
                return candidate


def _sieved(start: int) -> list[int]:
    """Return those odd numbers from `start` on that no small prime divides, which saves most of the slow tests."""
    count = _SIEVED // 8
    sieve = bytearray(b"\1") * count
    for prime in _small_primes():
        first = (-start * (prime + 1) // 2) % prime  # start + 2 * first is divisible: (prime + 1) / 2 is 1/2
        sieve[first::prime] = bytes(len(range(first, count, prime)))
    return [start + 2 * index for index in range(count) if sieve[index]]


@cache
def _small_primes() -> list[int]:
    sieve = bytearray(b"\1") * _SIEVED
    for number in range(2, int(_SIEVED**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, _SIEVED, number)))
    return [number for number in range(3, _SIEVED) if sieve[number]]


def _is_prime(number: int, source: Random) -> bool:
    """Tell whether a number is probably prime, by the Miller-Rabin test."""
    twos = (number - 1 & 1 - number).bit_length() - 1
    odd = number - 1 >> twos
    for round_ in range(_ROUNDS):
        base = 2 if round_ == 0 else source.randrange(2, number - 1)
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
