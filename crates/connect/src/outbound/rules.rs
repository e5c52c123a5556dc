//! Where calls may go: the public Internet over TLS, and what an operator allows beyond it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use model::id::TenantId;
use rustls::pki_types::CertificateDer;

use super::{address, tls};

/// Where calls may go, and what an answer may cost.
///
/// The default: public addresses, TLS, ports 443 and 8443, ten seconds, one mebibyte.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) ports: BTreeSet<u16>,
    pub(super) allowed: Vec<Allowance>,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) timeout: Duration,
    pub(super) most_bytes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            ports: BTreeSet::from([443, 8443]),
            allowed: Vec::new(),
            roots: Vec::new(),
            timeout: Duration::from_secs(10),
            most_bytes: 1 << 20,
        }
    }
}

impl Rules {
    /// Lets calls go also to a network, with TLS or without.
    #[must_use]
    pub fn allowing(mut self, allowance: Allowance) -> Self {
        self.allowed.push(allowance);
        self
    }

    /// Lets calls go to any address. For an address that the operator of the deployment named,
    /// never for one that came over the API.
    #[must_use]
    pub fn anywhere(mut self) -> Self {
        for network in [IpAddr::from([0; 4]), IpAddr::from([0; 16])] {
            let network = IpNet::new_assert(network, 0);
            self.allowed.push(Allowance { tenant: None, network, ports: Ports::All });
        }
        self
    }

    /// Trusts also the certificates of a PEM text.
    ///
    /// # Errors
    /// When it holds none.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, NoCertificate> {
        self.roots.extend(tls::certificates(pem).ok_or(NoCertificate)?);
        Ok(self)
    }

    /// How long a call may take from its first look-up to its last byte.
    #[must_use]
    pub const fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How large the body of an answer may be, in bytes.
    #[must_use]
    pub const fn at_most(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// Whether a call may connect to this address.
    pub(super) fn permits(&self, tenant: Option<TenantId>, to: &Meant) -> bool {
        let meant = address::meant(to.ip);
        let allowed = self.allowed.iter().any(|allowance| {
            (allowance.tenant.is_none() || allowance.tenant == tenant)
                && (allowance.network.contains(&to.ip) || allowance.network.contains(&meant))
                && match allowance.ports {
                    Ports::Usual => self.ports.contains(&to.port),
                    Ports::One(port) => port == to.port,
                    Ports::All => true,
                }
        });
        allowed || (to.tls && self.ports.contains(&to.port) && address::public(to.ip))
    }
}

/// An address a call is meant for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meant {
    pub(super) ip: IpAddr,
    pub(super) port: u16,
    pub(super) tls: bool,
}

/// A text without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds no certificate in PEM form")]
pub struct NoCertificate;

/// A network that calls may go to although it is not the public Internet:
/// `10.20.0.0/16`, `10.20.0.7:8200`, `[fd00:1::/32]:443`, `127.0.0.0/8:*`; with `ten_…=` in front
/// for calls of one tenant alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    tenant: Option<TenantId>,
    network: IpNet,
    ports: Ports,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    /// Those of the rules.
    Usual,
    One(u16),
    All,
}

/// Why a text is no allowance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no network: write `10.20.0.0/16`, `10.20.0.7:8200`, `[fd00:1::/32]:443` or \
     `127.0.0.0/8:*`, with `<tenant>=` in front for calls of one tenant alone"
)]
pub struct NoAllowance(String);

impl FromStr for Allowance {
    type Err = NoAllowance;

    fn from_str(text: &str) -> Result<Self, NoAllowance> {
        let wrong = || NoAllowance(text.to_owned());
        let (tenant, place) = match text.split_once('=') {
            Some((tenant, place)) => (Some(tenant.parse().map_err(|_| wrong())?), place),
            None => (None, text),
        };
        let (network, ports) = match place.strip_prefix('[') {
            Some(rest) => {
                let (network, after) = rest.split_once(']').ok_or_else(wrong)?;
                (network, after.strip_prefix(':'))
            }
            None if place.matches(':').count() > 1 => (place, None),
            None => place.split_once(':').map_or((place, None), |(net, port)| (net, Some(port))),
        };
        let network = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
        let ports = match ports {
            None => Ports::Usual,
            Some("*") => Ports::All,
            Some(port) => Ports::One(port.parse().map_err(|_| wrong())?),
        };
        Ok(Self { tenant, network: network.map_err(|_| wrong())?, ports })
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tenant) = self.tenant {
            write!(f, "{tenant}=")?;
        }
        match self.network {
            IpNet::V4(network) => write!(f, "{network}")?,
            IpNet::V6(network) => write!(f, "[{network}]")?,
        }
        match self.ports {
            Ports::Usual => Ok(()),
            Ports::One(port) => write!(f, ":{port}"),
            Ports::All => f.write_str(":*"),
        }
    }
}
