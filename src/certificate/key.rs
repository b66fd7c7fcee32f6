use curve25519_dalek::EdwardsPoint;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::der::{
    BIT_STRING, Der, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, explicit, implicit, whole_bits,
};
use super::pem::Block;

// 1.2.840.113549.1.1.1 (RFC 8017), 1.2.840.10045.2.1 (RFC 5480), 1.3.101.112 (RFC 8410)
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
// 1.2.840.10045.3.1.7 (RFC 5480 §2.1.1.1)
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// What of a private key is public.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PublicHalf {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The point, and the curve where the key names it.
    Ec {
        curve: Option<Vec<u8>>,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
}

impl PublicHalf {
    /// Reads a private key. `None` where it is encrypted, damaged, of another kind, or does not say its public half.
    pub(super) fn of_private(block: Block<'_>) -> Option<Self> {
        // An older form that a passphrase protects has headers (RFC 1421 §4.6), which are no base64
        let bytes = block.decode()?;
        // EXPOSE: read in place; only the public half is copied
        bytes.expose(|bytes| {
            let der = Der::of(bytes);
            match block.label {
                "RSA PRIVATE KEY" => of_rsa(der),
                "EC PRIVATE KEY" => of_ec(der, None),
                "PRIVATE KEY" => of_pkcs8(der),
                _ => None,
            }
        })
    }

    /// Reads a certificate's `SubjectPublicKeyInfo`.
    pub(super) fn of_certificate(spki: &[u8]) -> Option<Self> {
        let mut spki = Der::of(spki).enter(SEQUENCE)?;
        let (algorithm, curve) = algorithm(&mut spki)?;
        let key = whole_bits(spki.take(BIT_STRING)?)?;
        match algorithm {
            RSA => {
                let mut numbers = Der::of(key).enter(SEQUENCE)?;
                Some(Self::Rsa {
                    modulus: numbers.unsigned()?.to_vec(),
                    exponent: numbers.unsigned()?.to_vec(),
                })
            }
            EC => Some(Self::Ec { curve: curve.map(<[u8]>::to_vec), point: key.to_vec() }),
            ED25519 => key.try_into().ok().map(Self::Ed25519),
            _ => None,
        }
    }

    /// Whether both are of the same key; `None` where it cannot be told.
    pub(super) fn matches(&self, other: &Self) -> Option<bool> {
        if let (Self::Ec { curve: one, point }, Self::Ec { curve: another, point: theirs }) = (self, other) {
            if one.is_some() && another.is_some() && one != another {
                return Some(false);
            }
            // One is compressed (SEC 1 §2.3.3) and the other is not
            return (point.len() == theirs.len()).then(|| point == theirs);
        }
        Some(self == other)
    }
}

/// The identifier of a key's algorithm, and its parameter where that is one, too.
fn algorithm<'a>(der: &mut Der<'a>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let mut algorithm = der.enter(SEQUENCE)?;
    Some((algorithm.take(OBJECT_IDENTIFIER)?, algorithm.take(OBJECT_IDENTIFIER)))
}

/// PKCS#1: version, modulus, public exponent, and what is secret (RFC 8017 A.1.2).
fn of_rsa(mut der: Der<'_>) -> Option<PublicHalf> {
    let mut key = der.enter(SEQUENCE)?;
    key.unsigned()?;
    Some(PublicHalf::Rsa { modulus: key.unsigned()?.to_vec(), exponent: key.unsigned()?.to_vec() })
}

/// SEC 1: version, scalar, `[0]` curve, `[1]` point; both may be missing (RFC 5915 §3).
fn of_ec(mut der: Der<'_>, curve: Option<&[u8]>) -> Option<PublicHalf> {
    let key = der.enter(SEQUENCE)?;
    let named = key.find(explicit(0)).and_then(|inner| Der::of(inner).take(OBJECT_IDENTIFIER));
    let curve = named.or(curve);
    let stated = key.find(explicit(1)).and_then(|inner| whole_bits(Der::of(inner).take(BIT_STRING)?));
    let point = match stated {
        Some(point) => point.to_vec(),
        None if curve == Some(P256) => derive_p256(key.find(OCTET_STRING)?)?,
        None => return None,
    };
    Some(PublicHalf::Ec { curve: curve.map(<[u8]>::to_vec), point })
}

/// PKCS#8: version, algorithm, the key as its algorithm has it (RFC 5958 §2).
fn of_pkcs8(mut der: Der<'_>) -> Option<PublicHalf> {
    let mut key = der.enter(SEQUENCE)?;
    key.unsigned()?;
    let (algorithm, curve) = algorithm(&mut key)?;
    let inner = key.take(OCTET_STRING)?;
    match algorithm {
        RSA => of_rsa(Der::of(inner)),
        EC => of_ec(Der::of(inner), curve),
        ED25519 => {
            let stated = key.find(implicit(1)).and_then(whole_bits);
            let stated = stated.and_then(|key| key.try_into().ok());
            stated.or_else(|| derive_ed25519(Der::of(inner).take(OCTET_STRING)?)).map(PublicHalf::Ed25519)
        }
        _ => None,
    }
}

/// The public key of a seed (RFC 8032 §5.1.5).
fn derive_ed25519(seed: &[u8]) -> Option<[u8; 32]> {
    let mut hash = Zeroizing::new([0; 64]);
    hash.copy_from_slice(&Sha512::digest(seed));
    let scalar = Zeroizing::new(<[u8; 32]>::try_from(hash.get(..32)?).ok()?);
    (seed.len() == 32).then(|| EdwardsPoint::mul_base_clamped(*scalar).compress().to_bytes())
}

/// The point of a scalar, not compressed, as certificates have it.
fn derive_p256(scalar: &[u8]) -> Option<Vec<u8>> {
    let key = p256::SecretKey::from_slice(scalar).ok()?;
    Some(key.public_key().to_encoded_point(false).as_bytes().to_vec())
}
