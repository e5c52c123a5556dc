//! How often somebody may guess passwords: token buckets, in this process.
//!
//! One bucket is an address's, one an account's as tried from that address: whoever guesses from
//! one address uses up nobody else's tries, so an account cannot be locked by strangers. A right
//! password gives its tries back. Of the few hashes computed at a time, an address gets
//! [`TURNS`]; it waits for the others of its own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::Problem;
use api::problem::Answer;
use model::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tries of one address: so many at once, and one more in each pause. Many people may be behind
/// one address.
const ADDRESS: Rate = Rate { burst: 30, pause: Duration::from_secs(2) };
/// Tries of one account from one address.
const ACCOUNT: Rate = Rate { burst: 5, pause: Duration::from_secs(12) };
/// Tries of one account from addresses nobody logged in to it from before, all of them together:
/// what many addresses do at once is bounded too, and whoever comes from where they came from
/// before is not kept out by it.
const CROWD: Rate = Rate { burst: 50, pause: Duration::from_secs(10) };
/// Hashes computed for one address at the same time.
const TURNS: usize = 2;
/// Buckets kept; full ones are dropped when there are more.
const MOST: usize = 20_000;

/// How fast a bucket empties and fills.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    pause: Duration,
}

/// When a bucket is full again, which says all of it.
type Buckets = HashMap<Digest, Instant>;

/// Takes one try out of a bucket, or says how long there is none.
fn take(buckets: &mut Buckets, key: Digest, rate: Rate, now: Instant) -> Result<(), Duration> {
    if buckets.len() >= MOST {
        buckets.retain(|_, full_at| *full_at > now);
    }
    let full_at = buckets.get(&key).map_or(now, |full_at| (*full_at).max(now)) + rate.pause;
    let over = full_at.duration_since(now).saturating_sub(rate.pause * rate.burst);
    if over.is_zero() {
        buckets.insert(key, full_at);
        return Ok(());
    }
    Err(over)
}

/// Gives one try back.
fn give_back(buckets: &mut Buckets, key: Digest, rate: Rate) {
    if let Some(full_at) = buckets.get_mut(&key) {
        *full_at = full_at.checked_sub(rate.pause).unwrap_or(*full_at);
    }
}

#[derive(Debug, Default)]
struct State {
    addresses: Buckets,
    accounts: Buckets,
    turns: HashMap<Digest, Arc<Semaphore>>,
}

/// The buckets of a process.
#[derive(Debug, Clone, Default)]
pub struct Throttle(Arc<Mutex<State>>);

/// A try at a password. Dropped, it counts as a wrong one.
#[derive(Debug)]
pub struct Try {
    throttle: Throttle,
    address: Digest,
    account: Digest,
    _turn: OwnedSemaphorePermit,
}

impl Throttle {
    /// Lets a try pass, in its turn.
    ///
    /// # Errors
    /// 429 with the time to wait, when there were too many.
    pub async fn enter(&self, from: Option<&str>, account: &[&str]) -> Answer<Try> {
        let address = Digest::of(network(from).as_bytes());
        let account = Digest::of(format!("{address}\0{}", account.join("\0")).as_bytes());
        let turns = self.take(address, account, Instant::now()).map_err(too_many)?;
        let turn = turns
            .acquire_owned()
            .await
            .map_err(|_| Problem::unavailable("the server is stopping"))?;
        Ok(Try { throttle: self.clone(), address, account, _turn: turn })
    }

    /// Counts a login that begins elsewhere: there is no password to guess, but something is
    /// written down for each.
    ///
    /// # Errors
    /// 429 with the time to wait, when there were too many from this address.
    pub fn begin(&self, from: Option<&str>) -> Answer<()> {
        let key = Digest::of(format!("begin\0{}", network(from)).as_bytes());
        take(&mut self.state().addresses, key, ADDRESS, Instant::now()).map_err(too_many)
    }

    /// Counts a try at an account from an address nobody logged in to it from before.
    ///
    /// # Errors
    /// 429 with the time to wait, when there were too many from all such addresses together.
    pub fn stranger(&self, account: &[&str]) -> Answer<Counted> {
        self.count(&format!("crowd\0{}", account.join("\0")), CROWD)
    }

    /// Counts a try at a code of somebody's second factor, from wherever.
    ///
    /// # Errors
    /// 429 with the time to wait, when there were too many.
    pub fn factor(&self, user: &str) -> Answer<Counted> {
        self.count(&format!("factor\0{user}"), ACCOUNT)
    }

    fn count(&self, key: &str, rate: Rate) -> Answer<Counted> {
        let key = Digest::of(key.as_bytes());
        take(&mut self.state().accounts, key, rate, Instant::now()).map_err(too_many)?;
        Ok(Counted { throttle: self.clone(), key, rate })
    }

    fn take(
        &self,
        address: Digest,
        account: Digest,
        now: Instant,
    ) -> Result<Arc<Semaphore>, Duration> {
        let mut state = self.state();
        take(&mut state.accounts, account, ACCOUNT, now)?;
        if let Err(wait) = take(&mut state.addresses, address, ADDRESS, now) {
            give_back(&mut state.accounts, account, ACCOUNT);
            return Err(wait);
        }
        if state.turns.len() >= MOST {
            // Whoever is in a turn, or waits for one, holds a reference too.
            state.turns.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let turns = state.turns.entry(address).or_insert_with(|| Arc::new(Semaphore::new(TURNS)));
        Ok(Arc::clone(turns))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try {
    /// The password was right: the try does not count.
    pub fn right(self) {
        let mut state = self.throttle.state();
        give_back(&mut state.addresses, self.address, ADDRESS);
        give_back(&mut state.accounts, self.account, ACCOUNT);
    }
}

/// A try that was counted. Dropped, it counts as a wrong one.
#[derive(Debug)]
pub struct Counted {
    throttle: Throttle,
    key: Digest,
    rate: Rate,
}

impl Counted {
    /// It was right: it does not count.
    pub fn right(self) {
        give_back(&mut self.throttle.state().accounts, self.key, self.rate);
    }
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::too_many(
        "too_many_logins",
        format!("too many wrong passwords from this address: try again in {seconds} s"),
        seconds,
    )
}

/// The address, or of an IPv6 address the network: one host has all of a /64.
pub(super) fn network(from: Option<&str>) -> String {
    let text = from.unwrap_or_default();
    match text.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_a_pause() {
        let (mut buckets, start) = (Buckets::new(), Instant::now());
        for _ in 0..ACCOUNT.burst {
            assert_eq!(take(&mut buckets, digest("ada"), ACCOUNT, start), Ok(()));
        }
        let refused = take(&mut buckets, digest("ada"), ACCOUNT, start);
        assert_eq!(refused, Err(ACCOUNT.pause));
        assert_eq!(take(&mut buckets, digest("bob"), ACCOUNT, start), Ok(()));
        let later = start + ACCOUNT.pause;
        assert_eq!(take(&mut buckets, digest("ada"), ACCOUNT, later), Ok(()));
        assert_eq!(take(&mut buckets, digest("ada"), ACCOUNT, later), Err(ACCOUNT.pause));
        give_back(&mut buckets, digest("ada"), ACCOUNT);
        assert_eq!(take(&mut buckets, digest("ada"), ACCOUNT, later), Ok(()));
    }

    #[test]
    fn full_buckets_are_forgotten_when_there_are_many() {
        let (mut buckets, start) = (Buckets::new(), Instant::now());
        for n in 0..MOST {
            take(&mut buckets, digest(&n.to_string()), ACCOUNT, start).unwrap();
        }
        take(&mut buckets, digest("one more"), ACCOUNT, start + ACCOUNT.pause).unwrap();
        assert_eq!(buckets.len(), 1);
    }

    #[tokio::test]
    async fn an_address_that_guesses_locks_nobody_elses_out() {
        let throttle = Throttle::default();
        for _ in 0..ACCOUNT.burst {
            drop(throttle.enter(Some("192.0.2.1"), &["default", "ada"]).await.unwrap());
        }
        let refused = throttle.enter(Some("192.0.2.1"), &["default", "ada"]).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (429, "too_many_logins"));
        assert!(refused.retry_after_s.is_some_and(|seconds| (1..=13).contains(&seconds)));
        throttle.enter(Some("192.0.2.2"), &["default", "ada"]).await.unwrap();
        throttle.enter(Some("192.0.2.1"), &["default", "bob"]).await.unwrap();
    }

    #[tokio::test]
    async fn an_address_that_guesses_at_many_accounts_is_stopped() {
        let throttle = Throttle::default();
        for n in 0..ADDRESS.burst {
            drop(throttle.enter(Some("2001:db8::1"), &[&n.to_string()]).await.unwrap());
        }
        let refused = throttle.enter(Some("2001:db8::2"), &["one more"]).await.unwrap_err();
        assert_eq!(refused.status, 429);
        throttle.enter(Some("2001:db8:0:1::1"), &["one more"]).await.unwrap();
    }

    #[tokio::test]
    async fn right_passwords_do_not_count() {
        let throttle = Throttle::default();
        for _ in 0..2 * ADDRESS.burst {
            throttle.enter(None, &["default", "ada"]).await.unwrap().right();
        }
    }

    #[tokio::test]
    async fn one_address_does_not_hold_all_turns() {
        let throttle = Throttle::default();
        let mut held = Vec::new();
        for n in 0..TURNS {
            held.push(throttle.enter(Some("192.0.2.1"), &[&n.to_string()]).await.unwrap());
        }
        const { assert!(TURNS < super::super::password::AT_ONCE) };
        let mut waiting = Box::pin(throttle.enter(Some("192.0.2.1"), &["next"]));
        assert!(futures::poll!(&mut waiting).is_pending());
        throttle.enter(Some("192.0.2.2"), &["next"]).await.unwrap();
        held.pop();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn w4_a_thousand_guesses_at_one_account_are_a_handful() {
        let throttle = Throttle::default();
        let (mut let_through, mut told) = (0, 0);
        for _ in 0..1_000 {
            match throttle.enter(Some("192.0.2.1"), &["default", "ada"]).await {
                Ok(guess) => {
                    drop(guess);
                    let_through += 1;
                }
                Err(refused) => {
                    assert!(refused.retry_after_s.is_some_and(|seconds| seconds > 0));
                    told += 1;
                }
            }
        }
        // One more for each pause that passed meanwhile, on a machine that is slow.
        assert!((5..100).contains(&let_through), "{let_through} of 1000");
        assert_eq!(let_through + told, 1_000);
    }

    #[tokio::test]
    async fn w4_one_guess_at_each_of_a_thousand_accounts_is_stopped_by_address() {
        let throttle = Throttle::default();
        let mut let_through = 0;
        for n in 0..1_000 {
            let account = n.to_string();
            let_through +=
                usize::from(throttle.enter(Some("192.0.2.1"), &[&account]).await.is_ok());
        }
        assert!((30..500).contains(&let_through), "{let_through} of 1000");
        throttle.enter(Some("192.0.2.2"), &["0"]).await.unwrap();
    }

    #[tokio::test]
    async fn w4_guesses_from_a_thousand_addresses_are_bounded_and_lock_nobody_out() {
        let throttle = Throttle::default();
        let mut let_through = 0;
        for n in 0..1_000 {
            let address = format!("2001:db8:{n:x}::1");
            let one = throttle.enter(Some(&address), &["default", "ada"]).await.unwrap();
            let_through += usize::from(throttle.stranger(&["default", "ada"]).is_ok());
            drop(one);
        }
        assert!((50..500).contains(&let_through), "{let_through} of 1000");
        assert_eq!(throttle.stranger(&["default", "ada"]).unwrap_err().status, 429);
        // Whoever comes from where they came from before is not asked for a try of the crowd's.
        throttle.enter(Some("192.0.2.7"), &["default", "ada"]).await.unwrap().right();
        throttle.stranger(&["default", "bob"]).unwrap().right();
    }
}
