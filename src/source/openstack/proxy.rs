use std::net::IpAddr;
use std::rc::Rc;

use reqwest::{ClientBuilder, Proxy, Url};

use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::error::in_a_row;
use crate::source::{Service, SourceError};

/// Which requests go through a proxy. Ours and not reqwest's reading of the environment, since reqwest does not take
/// `no_proxy=*` for IP addresses, which most underclouds have, and does not say whether it uses one.
#[derive(Debug, Default)]
pub struct Proxies {
    http: Option<Result<HttpProxy, Unusable>>,
    https: Option<Result<HttpProxy, Unusable>>,
    exempt: Vec<String>,
}

/// The variable that names something else. It is at fault only where a request would go through it.
#[derive(Debug)]
struct Unusable(&'static str);

#[derive(Debug)]
struct HttpProxy {
    /// Without user and password.
    url: Url,
    login: Option<(String, SecretValue)>,
}

/// Why a proxy is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum ProxyError {
    #[error("the proxy {proxy} does not lead to {service}: {cause}")]
    Failed { service: Service, proxy: String, cause: String },
    #[error("the proxy before {service} wants a login (407)")]
    Login { service: Service },
    #[error("{service} answered with status {status}{}", in_a_row(*.times))]
    Page { service: Service, status: u16, times: u32 },
}

impl Hint for ProxyError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Failed { .. } => {
                "the environment names it: correct http_proxy or https_proxy, or add the service's host to no_proxy"
            }
            Self::Login { .. } => {
                "give http_proxy or https_proxy a user and a password, or add the service's host to no_proxy"
            }
            Self::Page { service, .. } => {
                return format!(
                    "a proxy in front of it has answered, with a page: is {service} itself running? Else try again later"
                );
            }
        })
    }
}

impl Proxies {
    /// Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`. As in Python and curl the lower case counts before the
    /// upper one, and an empty variable is none. What is no URL of an HTTP proxy is an error of the request that needs it.
    pub fn find(variable: impl Fn(&str) -> Option<SecretValue>) -> Self {
        let find = |name: &str| variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
        // EXPOSE: asked only whether it is empty
        let is_set = |value: &SecretValue| !value.expose(|text| text.trim().is_empty());
        let proxy = |name: &'static str| {
            let named = find(name).map(|value| (name, value));
            let (name, value) = named.or_else(|| Some(("all_proxy", find("all_proxy")?)))?;
            is_set(&value).then(|| HttpProxy::read(&value).ok_or(Unusable(name)))
        };
        // EXPOSE: a list of hosts
        let exempt = find("no_proxy").map(|list| list.expose(split_list)).unwrap_or_default();
        Self { http: proxy("http_proxy"), https: proxy("https_proxy"), exempt }
    }

    /// The proxy for `url`, as host and port. Nothing is sent before it was asked for: the client itself would go past a
    /// proxy that cannot be used.
    ///
    /// # Errors
    ///
    /// [`SourceError::BadSetting`] for a proxy that cannot be used.
    pub(super) fn host_for(&self, url: &Url) -> Result<Option<String>, SourceError> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        match proxy.as_ref().filter(|_| !is_exempt(&self.exempt, url)) {
            None => Ok(None),
            Some(Ok(proxy)) => Ok(proxy.host()),
            Some(Err(Unusable(name))) => {
                let reason = "it must be the URL of an HTTP proxy, such as `http://HOST:3128`";
                Err(SourceError::BadSetting { name, reason })
            }
        }
    }
}

impl HttpProxy {
    fn read(value: &SecretValue) -> Option<Self> {
        // EXPOSE: the password goes to a secret value; the URL that had it is wiped by the zeroizing allocator
        value.expose(|text| {
            let text = text.trim();
            let url =
                if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
            let mut url =
                url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
            let has_login = !url.username().is_empty() || url.password().is_some();
            let login = has_login.then(|| {
                // EXPOSE: a user's name is public
                let user = decoded(url.username()).expose(str::to_owned);
                (user, decoded(url.password().unwrap_or_default()))
            });
            url.set_username("").and_then(|()| url.set_password(None)).ok()?;
            Some(Self { url, login })
        })
    }

    fn host(&self) -> Option<String> {
        Some(format!("{}:{}", self.url.host_str()?, self.url.port_or_known_default()?))
    }
}

/// A client that goes through them.
pub(super) fn proxied(mut builder: ClientBuilder, proxies: &Rc<Proxies>) -> ClientBuilder {
    // reqwest's own reading of the environment off
    builder = builder.no_proxy();
    for (scheme, proxy) in [("http", &proxies.http), ("https", &proxies.https)] {
        let Some(Ok(HttpProxy { url: address, login })) = proxy else { continue };
        let (address, exempt) = (address.clone(), proxies.exempt.clone());
        let mut proxy = Proxy::custom(move |url| {
            (url.scheme() == scheme && !is_exempt(&exempt, url)).then(|| address.clone())
        });
        if let Some((user, password)) = login {
            // EXPOSE: reqwest keeps it as a header, until the client is dropped
            proxy = password.expose(|password| proxy.basic_auth(user, password));
        }
        builder = builder.proxy(proxy);
    }
    builder
}

/// What `%41` stands for.
fn decoded(text: &str) -> SecretValue {
    let mut bytes = SecretBuffer::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(&[byte.unwrap_or(*first)]);
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    // EXPOSE: copied into a secret value
    bytes.expose(|bytes| SecretValue::copy_of(&String::from_utf8_lossy(bytes)))
}

fn is_exempt(exempt: &[String], url: &Url) -> bool {
    exempt.iter().any(|entry| covers(entry, url))
}

fn split_list(list: &str) -> Vec<String> {
    let entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    entries.map(str::to_ascii_lowercase).collect()
}

/// Whether an entry of `no_proxy` covers the host: `*`, an address, a network, a domain (with what is below it), each also with
/// a port.
fn covers(entry: &str, url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_matches(['[', ']']);
    if entry == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        if let Some((network, bits)) = entry.split_once('/') {
            return bits.parse().is_ok_and(|bits| is_in(address, network, bits));
        }
        let same = |text: &str| text.trim_matches(['[', ']']).parse() == Ok(address);
        return same(entry) || without_port(entry, url).is_some_and(same);
    }
    let is_below = |domain: &str| {
        let domain = domain.trim_start_matches("*.").trim_start_matches('.');
        let rest = host.strip_suffix(domain);
        !domain.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_below(entry) || without_port(entry, url).is_some_and(is_below)
}

/// The host of `host:port`, where the port is the URL's.
fn without_port<'a>(entry: &'a str, url: &Url) -> Option<&'a str> {
    let (host, port) = entry.rsplit_once(':')?;
    (port.parse().ok() == url.port_or_known_default()).then_some(host)
}

fn is_in(address: IpAddr, network: &str, bits: u32) -> bool {
    let shared =
        |a: u128, b: u128, width: u32| bits <= width && (bits == 0 || (a ^ b) >> (width - bits) == 0);
    match (address, network.parse()) {
        (IpAddr::V4(a), Ok(IpAddr::V4(b))) => shared(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), Ok(IpAddr::V6(b))) => shared(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        Proxies::find(|name| variables.get(name).map(|text| SecretValue::copy_of(text)))
    }

    fn host_for(variables: &[(&str, &str)], url: &str) -> Option<String> {
        proxies(variables).host_for(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn each_scheme_has_its_proxy_and_the_lower_case_counts_first() {
        let variables = [
            ("http_proxy", "http://a:1"),
            ("HTTP_PROXY", "http://b:2"),
            ("HTTPS_PROXY", "c:3"),
            ("https_proxy", ""),
        ];
        assert_eq!(host_for(&variables, "http://h").as_deref(), Some("a:1"));
        assert_eq!(host_for(&variables, "https://h"), None, "an empty variable turns it off");
        assert_eq!(host_for(&variables[..3], "https://h").as_deref(), Some("c:3"));
        assert_eq!(host_for(&[("all_proxy", "http://d")], "https://h").as_deref(), Some("d:80"));
        assert_eq!(host_for(&[], "https://h"), None);
    }

    #[test]
    fn a_password_of_a_proxy_is_not_shown() {
        let variables = [("https_proxy", "http://user:hunter2@proxy:3128")];
        assert_eq!(host_for(&variables, "https://h").as_deref(), Some("proxy:3128"));
        assert!(!format!("{:?}", proxies(&variables)).contains("hunter2"));
        let socks = proxies(&[("https_proxy", "socks5://user:hunter2@proxy")]);
        assert!(!format!("{socks:?}").contains("hunter2"));
        let error = socks.host_for(&Url::parse("https://h").unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the setting `https_proxy` cannot be used: it must be the URL of an HTTP proxy, such as `http://HOST:3128`"
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_none_for_the_hosts_that_need_none() {
        let socks = ("all_proxy", "socks5://proxy");
        assert_eq!(host_for(&[socks, ("no_proxy", "*")], "https://h"), None);
        assert_eq!(host_for(&[socks, ("no_proxy", "h")], "http://h"), None);
        assert_eq!(host_for(&[("https_proxy", "socks5://proxy")], "http://h"), None);
        assert_eq!(host_for(&[socks, ("http_proxy", "a:1")], "http://h").as_deref(), Some("a:1"));
        assert!(proxies(&[socks, ("no_proxy", "h")]).host_for(&Url::parse("http://i").unwrap()).is_err());
    }

    #[test]
    fn a_password_without_a_user_is_a_login_too() {
        let found = HttpProxy::read(&SecretValue::copy_of("http://:hunter2@proxy")).unwrap();
        let (user, password) = found.login.unwrap();
        // EXPOSE: made up
        assert!(user.is_empty() && password.expose(|text| text == "hunter2"));
    }

    #[test]
    fn a_login_may_be_percent_encoded() {
        let found = HttpProxy::read(&SecretValue::copy_of("http://us%40er:p%3Aw%zz@proxy")).unwrap();
        let (user, password) = found.login.unwrap();
        assert_eq!((user.as_str(), found.url.as_str()), ("us@er", "http://proxy/"));
        // EXPOSE: made up
        assert!(password.expose(|text| text == "p:w%zz"));
    }

    #[test]
    fn no_proxy_knows_hosts_domains_addresses_networks_and_ports() {
        let rows = [
            ("*", "https://192.168.24.2:13000", true),
            ("*", "https://undercloud", true),
            ("127.0.0.1,192.168.24.2", "https://192.168.24.2:13000", true),
            ("192.168.24.3", "https://192.168.24.2", false),
            ("192.168.24.0/24", "https://192.168.24.2", true),
            ("10.0.0.0/8, 192.168.25.0/24", "https://192.168.24.2", false),
            ("0.0.0.0/0", "https://192.168.24.2", true),
            ("192.168.24.0/99", "https://192.168.24.2", false),
            ("192.168.24.2:13000", "https://192.168.24.2:13000", true),
            ("192.168.24.2:80", "https://192.168.24.2:13000", false),
            ("fd00::/8", "https://[fd00::1]:5000", true),
            ("[fd00::1]:5000", "https://[fd00::1]:5000", true),
            ("fd00::1", "https://[fd00::2]", false),
            ("EXAMPLE.com", "https://keystone.example.com", true),
            (".example.com", "https://example.com", true),
            ("*.example.com", "https://a.example.com", true),
            ("example.com", "https://notexample.com", false),
            ("example.com:443", "https://example.com", true),
            ("localhost", "http://localhost:5000", true),
            (".", "http://localhost:5000", false),
        ];
        for (none, url, is_exempt) in rows {
            let variables = [("all_proxy", "http://proxy:3128"), ("NO_PROXY", none)];
            assert_eq!(host_for(&variables, url).is_none(), is_exempt, "{none} {url}");
        }
    }
}
