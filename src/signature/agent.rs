//! A small client of ssh-agent (draft-ietf-sshm-ssh-agent): it asks for a signature, and for nothing else. Keys that lie in
//! hardware sign this way, and no private key comes near us.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ssh_key::Signature;

use crate::fs;

use super::{PublicKey, SigningError};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const FAILURE: u8 = 5;
const RSA_SHA2_512: u32 = 4;
/// What OpenSSH's agent itself takes and gives at most.
const LIMIT: usize = 256 * 1024;
const LISTING_TIME: Duration = Duration::from_secs(10);
/// A person has to find the security key, and touch it, or say yes.
const SIGNING_TIME: Duration = Duration::from_secs(90);

/// An agent at its socket. Each question has its own connection.
#[derive(Debug)]
pub(super) struct Agent {
    socket: PathBuf,
}

impl Agent {
    pub(super) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Whether it has the private half of `key`.
    pub(super) fn has(&self, key: &PublicKey) -> Result<bool, SigningError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LISTING_TIME)?;
        let mut rest = Reader(answer.strip_prefix(&[IDENTITIES]).ok_or_else(|| self.strange())?);
        let count = rest.number().ok_or_else(|| self.strange())?;
        let wanted = key.to_bytes();
        for _ in 0..count {
            let blob = rest.string().ok_or_else(|| self.strange())?;
            rest.string().ok_or_else(|| self.strange())?;
            if blob == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A signature of `data` by `key`.
    pub(super) fn sign(&self, key: &PublicKey, data: &[u8]) -> Result<Signature, SigningError> {
        let mut request = vec![SIGN_REQUEST];
        push(&mut request, &key.to_bytes());
        push(&mut request, data);
        request.extend(if key.is_rsa() { RSA_SHA2_512 } else { 0 }.to_be_bytes());
        let answer = self.ask(&request, SIGNING_TIME)?;
        if answer.first() == Some(&FAILURE) {
            return Err(SigningError::AgentRefused { fingerprint: key.fingerprint() });
        }
        let mut rest = Reader(answer.strip_prefix(&[SIGN_RESPONSE]).ok_or_else(|| self.strange())?);
        let blob = rest.string().ok_or_else(|| self.strange())?;
        Signature::try_from(blob).map_err(|_| self.strange())
    }

    fn ask(&self, request: &[u8], time: Duration) -> Result<Vec<u8>, SigningError> {
        exchange(&self.socket, request, time).map_err(|error| {
            let is_late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            let reason =
                if is_late { format!("no answer in {} seconds", time.as_secs()) } else { fs::reason(&error) };
            SigningError::Agent { socket: self.socket.clone(), reason }
        })
    }

    fn strange(&self) -> SigningError {
        SigningError::Agent { socket: self.socket.clone(), reason: String::from("its answer is no agent's") }
    }
}

fn exchange(socket: &Path, request: &[u8], time: Duration) -> io::Result<Vec<u8>> {
    let end = Instant::now() + time;
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(time))?;
    let mut framed = Vec::with_capacity(4 + request.len());
    push(&mut framed, request);
    stream.write_all(&framed)?;
    let mut length = [0; 4];
    fill(&mut stream, &mut length, end)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LIMIT {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = vec![0; length];
    fill(&mut stream, &mut answer, end)?;
    Ok(answer)
}

/// Fills `block` before `end`, however small the pieces are in which it comes.
fn fill(stream: &mut UnixStream, mut block: &mut [u8], end: Instant) -> io::Result<()> {
    while !block.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(block) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => block = block.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Appends a string of the protocol: its length in four bytes, and itself.
fn push(message: &mut Vec<u8>, string: &[u8]) {
    message.extend(u32::try_from(string.len()).unwrap_or(u32::MAX).to_be_bytes());
    message.extend(string);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::fs::TemporaryDirectory;

    #[test]
    fn an_agent_that_does_not_answer_is_not_waited_for_without_end() {
        let here = TemporaryDirectory::scratch();
        let socket = here.path().join("agent");
        // It listens, and nobody takes the connection
        let _listener = UnixListener::bind(&socket).unwrap();
        let agent = Agent::at(&socket);
        let error = agent.ask(&[REQUEST_IDENTITIES], Duration::from_millis(20)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the ssh agent at `{}`: no answer in 0 seconds", socket.display())
        );
    }
}
