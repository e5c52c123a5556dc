//! Requests that another site's page made a browser send.

use axum::http::HeaderValue;

use super::*;

const SESSION: &str = "__Host-countersign=css_secret";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let all = [("host", "cs.example.com")].into_iter().chain(pairs.iter().copied());
    all.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

#[test]
fn w2_a_cookie_counts_only_with_word_from_the_browser_that_our_own_page_asked() {
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://cs.example.com")], false),
        (&[("origin", "https://cs.example.com")], true),
        (&[("origin", "https://cs.example.com:8443")], false),
        (&[("origin", "https://evil.example.com")], false),
        (&[("origin", "https://cs.example.com.evil.example.com")], false),
        (&[("origin", "null")], false),
        (&[("origin", "")], false),
    ];
    for (sent, good) in cases {
        let pairs: Vec<_> = sent.iter().copied().chain([("cookie", SESSION)]).collect();
        let headers = headers(&pairs);
        let carried = bearer(&headers);
        assert_eq!(carried, Some(Carried::Cookie("css_secret".to_owned())));
        assert_eq!(from_our_pages(&headers, carried.as_ref()), *good, "{sent:?}");
    }
}

#[test]
fn w2_a_login_is_not_made_by_another_sites_page_and_programs_need_say_nothing() {
    for (sent, good) in [
        (None, true),
        (Some(("sec-fetch-site", "same-origin")), true),
        (Some(("sec-fetch-site", "none")), true),
        (Some(("sec-fetch-site", "cross-site")), false),
        (Some(("origin", "https://evil.example.com")), false),
    ] {
        let headers = headers(&sent.into_iter().collect::<Vec<_>>());
        assert_eq!(from_our_pages(&headers, None), good, "{sent:?}");
    }
    // A header no page can set beside the cookie that the browser adds.
    let both = headers(&[("authorization", "Bearer cs_a_b"), ("cookie", SESSION)]);
    assert_eq!(bearer(&both), Some(Carried::Header("cs_a_b".to_owned())));
    assert!(from_our_pages(&both, bearer(&both).as_ref()));
    // One that means nothing does not let the cookie through.
    let basic = headers(&[("authorization", "Basic eDp5"), ("cookie", SESSION)]);
    assert_eq!(bearer(&basic), Some(Carried::Header(String::new())));
}
