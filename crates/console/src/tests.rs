//! The console with a few files of the tests' own.

use http::StatusCode;

use super::*;

const PAGE: &str = "<script nonce=\"__NONCE__\"></script><meta nonce=\"__NONCE__\">";
const NONCE: &str = "AAECAwQFBgcICQoLDA0ODw==";

fn file(path: &str) -> Option<File> {
    let text = match path {
        "index.html" => PAGE,
        "icon.svg" => "<svg/>",
        "icon.svg.br" => "small svg",
        "assets/main-B1_x-9.js" => "script",
        "assets/main-B1_x-9.js.br" => "small",
        "assets/font.woff2" => "font",
        // What is there and must not be answered.
        "assets/main.js.map" | ".built-from" | "notes.html" | "../secret.txt" | "secret" => {
            "secret"
        }
        "/etc/secret.txt" | "assets/../../secret.txt" | "assets//secret.txt" => "secret",
        ".hidden/secret.txt" | "assets/.secret.txt" | "assets\\secret.txt" => "secret",
        "%2e%2e/secret.txt" => "secret",
        _ => return None,
    };
    let digest = [u8::try_from(text.len()).unwrap(); 32];
    Some(File { bytes: Bytes::from_static(text.as_bytes()), digest })
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn asked(path: &str, headers: &[(&'static str, &str)]) -> Option<Response<Bytes>> {
    ask(file, path, headers)
}

fn ask(files: Files, path: &str, headers: &[(&'static str, &str)]) -> Option<Response<Bytes>> {
    let given = headers.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    });
    let nonce = Nonce::of(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    Console::of(files).answer(path, &given.collect(), &nonce)
}

fn says<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_page_has_the_nonce_of_its_policy_and_is_kept_by_nobody() {
    for path in ["/", "/index.html", "/findings", "/findings/fnd_1", "/findings/web-1.example.com"]
    {
        let page = asked(path, &[BROWSER]).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(page.status(), StatusCode::OK);
        let text = String::from_utf8(page.body().to_vec()).unwrap();
        assert_eq!(text, PAGE.replace("__NONCE__", NONCE), "{path}");
        assert_eq!(
            says(&page, "content-security-policy"),
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{NONCE}'; \
                 img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'"
            )
        );
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("etag", ""),
        ] {
            assert_eq!(says(&page, name), value, "{path}: {name}");
        }
        let off = says(&page, "permissions-policy");
        assert!(off.contains("camera=(), ") && off.contains(", geolocation=()"), "{off}");
        assert!(off.split(", ").all(|feature| feature.ends_with("=()")), "{off}");
    }
    let again = Nonce::of([255; 16]);
    let page = Console::of(file).answer("/", &HeaderMap::new(), &again).unwrap();
    assert!(!says(&page, "content-security-policy").contains(NONCE));
}

#[test]
fn without_its_files_a_plain_page_says_how_to_get_them() {
    assert!(!Console::of(|_| None).is_there());
    for path in ["/", "/findings/fnd_1"] {
        let page = ask(|_| None, path, &[BROWSER]).unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let text = String::from_utf8(page.body().to_vec()).unwrap();
        for word in ["npm ci", "npm run build", "make run", "light dark"] {
            assert!(text.contains(word), "{word}");
        }
        assert!(!text.contains("<script") && !text.contains("__NONCE__") && !text.contains("src="));
        assert!(text.contains(&format!("<style nonce=\"{NONCE}\">")));
        assert_eq!(
            says(&page, "content-security-policy"),
            format!(
                "default-src 'none'; style-src 'nonce-{NONCE}'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            )
        );
        assert_eq!(says(&page, "cache-control"), "no-store");
    }
    assert!(ask(|_| None, "/assets/main-B1_x-9.js", &[BROWSER]).is_none());
}

#[test]
fn hashed_files_are_kept_for_ever_and_small_for_whoever_takes_brotli() {
    let path = "/assets/main-B1_x-9.js";
    for (takes, small) in [
        (None, false),
        (Some("gzip, deflate"), false),
        (Some("gzip, deflate, br, zstd"), true),
        (Some("BR"), true),
        (Some("br;q=0.1"), true),
        (Some("br; q=0"), false),
        (Some("br;q=0.000, gzip"), false),
        (Some("brotli"), false),
        (Some("*"), false),
    ] {
        let header = takes.map(|takes| ("accept-encoding", takes));
        let file = asked(path, header.as_slice()).unwrap();
        let (text, encoding) = if small { ("small", "br") } else { ("script", "") };
        assert_eq!(file.body(), text, "{takes:?}");
        assert_eq!(says(&file, "content-encoding"), encoding, "{takes:?}");
        assert_eq!(says(&file, "vary"), "Accept-Encoding");
        assert_eq!(says(&file, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(says(&file, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(says(&file, "x-content-type-options"), "nosniff");
    }
    let font = asked("/assets/font.woff2", &[("accept-encoding", "br")]).unwrap();
    assert_eq!((says(&font, "content-type"), says(&font, "vary")), ("font/woff2", ""));
}

#[test]
fn files_that_may_change_are_sent_again_only_when_they_did() {
    let whole = asked("/icon.svg", &[]).unwrap();
    assert_eq!(
        (says(&whole, "content-type"), whole.body().as_ref()),
        ("image/svg+xml", &b"<svg/>"[..])
    );
    assert_eq!(says(&whole, "cache-control"), "no-cache");
    assert!(says(&whole, "content-security-policy").starts_with("default-src 'none'; "));
    let tag = says(&whole, "etag");
    assert_eq!(tag, format!("\"{}\"", "06".repeat(16)));
    let small = asked("/icon.svg", &[("accept-encoding", "br")]).unwrap();
    assert_ne!(says(&small, "etag"), tag, "another form is another version");
    for (has, status) in [
        (tag, 304),
        (&*format!("W/{tag}"), 304),
        (&*format!("\"x\", {tag}"), 304),
        ("*", 304),
        ("\"x\"", 200),
        (says(&small, "etag"), 200),
    ] {
        let again = asked("/icon.svg", &[("if-none-match", has)]).unwrap();
        assert_eq!(again.status().as_u16(), status, "{has}");
        assert_eq!(again.body().is_empty(), status == 304, "{has}");
        assert_eq!((says(&again, "etag"), says(&again, "vary")), (tag, "Accept-Encoding"));
    }
}

#[test]
fn what_is_no_file_of_a_known_type_is_not_there_and_no_path_leads_out() {
    for path in [
        "/assets/main-old.js",
        "/assets/main.js.map",
        "/assets/main-B1_x-9.js.br",
        "/assets/",
        "/icon.svg.br",
        "/favicon.ico",
        "/robots.txt",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets//secret.txt",
        "//etc/secret.txt",
        "/.hidden/secret.txt",
        "/assets/.secret.txt",
        "/assets\\secret.txt",
        "/%2e%2e/secret.txt",
        "/../secret",
        "/x/../../secret",
        "/..%2fsecret.txt",
        "/%2E%2e/secret",
        "/./secret",
        "secret.txt",
        "",
        "*",
    ] {
        assert!(asked(path, &[]).is_none(), "{path}");
    }
    for path in ["/assets/main-old.js", "/assets/notes", "/../secret", "/%2e%2E/x", "/a/%2e/b"] {
        assert!(asked(path, &[BROWSER]).is_none(), "{path}: no page in its stead");
    }
    // Who wants a page gets the page, and never what the path would name.
    for path in ["/secret", "/.built-from", "/notes.html", "/icon.svg.br"] {
        let page = asked(path, &[BROWSER]).unwrap();
        assert!(page.body().starts_with(b"<script nonce"), "{path}");
    }
}

#[test]
fn only_whoever_wants_a_page_gets_one_for_any_path() {
    for accept in ["*/*", "application/json", "image/avif,image/webp,*/*"] {
        assert!(asked("/findings", &[("accept", accept)]).is_none(), "{accept}");
        assert!(asked("/", &[("accept", accept)]).is_some(), "{accept}");
    }
    assert!(asked("/findings", &[]).is_none());
    assert!(asked("/findings", &[("accept", "Text/HTML")]).is_some());
}

#[test]
fn what_was_built_is_what_is_there() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist/index.html");
    assert_eq!(Console::built().is_there(), page.exists());
    assert!(embedded::file("../src/main.tsx").is_none());
    assert!(embedded::file("../../Cargo.toml").is_none());
}
