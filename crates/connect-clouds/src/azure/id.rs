//! Ids of Azure Resource Manager. They have no case, and they come out of documents: they go into
//! queries and addresses only as what they are.

use crate::calls::encoded;

/// An id: `/subscriptions/<uuid>/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id<'a> {
    text: &'a str,
    subscription: &'a str,
}

impl<'a> Id<'a> {
    /// The id a text is; `None` when it is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix('/')?.split('/');
        if text.len() > 2_048 || !parts.next()?.eq_ignore_ascii_case("subscriptions") {
            return None;
        }
        let subscription = parts.next()?;
        let uuid = subscription.len() == 36
            && subscription.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        // Neither the end of a text of Kusto's, nor the end of a path.
        let strange = |c: char| c.is_control() || "'\"\\?#%<>&|".contains(c);
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(strange);
        (uuid && parts.all(plain)).then_some(Self { text, subscription })
    }

    pub(super) fn subscription(&self) -> String {
        self.subscription.to_ascii_lowercase()
    }

    /// What is the same for all ways to write it.
    pub(super) fn key(&self) -> String {
        self.text.to_lowercase()
    }

    /// The id of what it is a part of.
    pub(super) fn parent(&self) -> Option<String> {
        self.text.rsplitn(3, '/').nth(2).map(str::to_lowercase)
    }

    /// The group it is in.
    pub(super) fn group(&self) -> Option<&'a str> {
        let mut parts = self.text.split('/');
        parts.find(|part| part.eq_ignore_ascii_case("resourceGroups"))?;
        parts.next()
    }

    /// As the path of an address.
    pub(super) fn path(&self) -> String {
        let parts = self.text.split('/').map(|part| encoded(part.as_bytes()));
        parts.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn an_id_is_one_and_nothing_of_a_query_or_of_another_address() {
        let good = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop (1)/providers/x/y/z");
        let id = Id::parse(&good).unwrap();
        assert_eq!((id.group(), id.subscription()), (Some("Shop (1)"), SUBSCRIPTION.to_owned()));
        assert!(id.path().ends_with("/resourceGroups/Shop%20%281%29/providers/x/y/z"));
        assert_eq!(id.parent().unwrap(), id.key().strip_suffix("/y/z").unwrap());
        for bad in [
            "",
            "/",
            "/subscriptions/",
            "/subscriptions/me/resourceGroups/a",
            &format!("subscriptions/{SUBSCRIPTION}"),
            &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/a') or 1 == 1 //"),
            &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/a\\"),
            &format!("/subscriptions/{SUBSCRIPTION}/../../evil"),
            &format!("/subscriptions/{SUBSCRIPTION}/a//b"),
            &format!("/subscriptions/{SUBSCRIPTION}/a?api-version=1"),
            &format!("/subscriptions/{SUBSCRIPTION}/a|/subscriptions/{SUBSCRIPTION}/b"),
            &format!("/subscriptions/{SUBSCRIPTION}/{}", "a".repeat(2_048)),
        ] {
            assert_eq!(Id::parse(bad), None, "{bad}");
        }
    }
}
