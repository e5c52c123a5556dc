use super::*;

const FILE: &str = "
apiVersion: v1
kind: Config
current-context: shop
preferences: {}
contexts:
- name: shop
  context: { cluster: one, user: reader, namespace: shop }
- name: admin
  context: { cluster: two, user: admin }
- name: program
  context: { cluster: one, user: program }
- name: lost
  context: { cluster: three, user: reader }
clusters:
- name: one
  cluster: { server: 'https://one.example:6443', certificate-authority-data: QVVUSE9SSVRZ }
- name: two
  cluster: { server: 'https://two.example/k8s', certificate-authority: ca.pem }
users:
- name: reader
  user: { token: s3cret-token }
- name: admin
  user: { client-certificate: admin.pem, client-key-data: S0VZ }
- name: program
  user: { exec: { command: aws, args: [eks, get-token] } }
";

fn none(_: &str) -> Option<Secret> {
    None
}

#[test]
fn the_current_context_is_read_or_the_one_asked_for() {
    let kubeconfig = Kubeconfig::read(FILE, None).unwrap();
    assert!(kubeconfig.files().is_empty());
    let config = kubeconfig.config(none).unwrap();
    assert_eq!(config.server, "https://one.example:6443");
    assert_eq!(config.authority.as_deref(), Some(b"AUTHORITY".as_slice()));
    assert_eq!(config.namespace, "shop");
    let Login::Token(token) = &config.login else { panic!("{config:?}") };
    assert_eq!(token.expose_str(), Some("s3cret-token"));

    let admin = Kubeconfig::read(FILE, Some("admin")).unwrap();
    assert_eq!(admin.files(), ["ca.pem", "admin.pem"]);
    assert_eq!(admin.clone().config(none).unwrap_err(), BadKubeconfig::File("ca.pem".to_owned()));
    let config = admin.config(|name| Some(Secret::from(format!("<{name}>")))).unwrap();
    assert_eq!(config.authority.as_deref(), Some(b"<ca.pem>".as_slice()));
    assert_eq!(config.namespace, "default");
    let Login::Certificate { chain, key } = &config.login else { panic!("{config:?}") };
    assert_eq!((chain.as_slice(), key.expose_str()), (b"<admin.pem>".as_slice(), Some("KEY")));
}

#[test]
fn what_is_not_done_here_is_refused_by_name() {
    let one = |cluster: &str, user: &str| {
        format!(
            "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://c.example'{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        )
    };
    for (cluster, user, field) in [
        (", insecure-skip-tls-verify: true", "token: t", "insecure-skip-tls-verify"),
        (", tls-server-name: other", "token: t", "tls-server-name"),
        (", proxy-url: 'http://proxy.example'", "token: t", "proxy-url"),
        ("", "exec: {command: aws}", "exec"),
        ("", "auth-provider: {name: gcp}", "auth-provider"),
        ("", "username: admin, password: hunter2", "username"),
        ("", "token: t, as: root", "as"),
    ] {
        match Kubeconfig::read(&one(cluster, user), None) {
            Err(BadKubeconfig::Unsupported { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    // What another context wants is its own affair.
    assert!(Kubeconfig::read(FILE, Some("shop")).is_ok());
    assert!(matches!(
        Kubeconfig::read(FILE, Some("program")),
        Err(BadKubeconfig::Unsupported { field: "exec", .. })
    ));
    let half = Kubeconfig::read(&one("", "client-key-data: S0VZ"), None);
    assert_eq!(half.unwrap_err(), BadKubeconfig::Half);
    let odd =
        Kubeconfig::read(&one("", "client-certificate-data: '*', client-key-data: S0VZ"), None);
    assert_eq!(odd.unwrap_err(), BadKubeconfig::Encoding("client-certificate-data"));
}

#[test]
fn what_is_missing_is_named_and_what_is_malformed_has_a_place() {
    let missing = |what, name: &str| BadKubeconfig::Missing { what, name: name.to_owned() };
    let fault = |context| Kubeconfig::read(FILE, Some(context)).unwrap_err();
    assert_eq!(fault("other"), missing("context", "other"));
    assert_eq!(fault("lost"), missing("cluster", "three"));
    assert_eq!(Kubeconfig::read("contexts: []", None).unwrap_err(), BadKubeconfig::NoContext);
    for text in ["", "- a", "contexts: 3", "contexts: [{name: a}]", "a: [", "\u{0}"] {
        let fault = Kubeconfig::read(text, Some("a")).unwrap_err();
        let missing = matches!(fault, BadKubeconfig::Missing { .. });
        assert!(missing || matches!(fault, BadKubeconfig::Malformed { .. }), "{text:?}: {fault}");
    }
}

#[test]
fn s2_no_secret_of_a_kubeconfig_prints_itself_or_is_part_of_an_error() {
    let kubeconfig = Kubeconfig::read(FILE, None).unwrap();
    let shown = format!("{kubeconfig:?} {:?}", kubeconfig.clone().config(none).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    let broken = FILE.replace("{ token: s3cret-token }", "{ token: [s3cret-token] }");
    let fault = Kubeconfig::read(&broken, None).unwrap_err();
    assert!(!format!("{fault} {fault:?}").contains("s3cret"), "{fault:?}");
}

#[test]
fn inside_a_pod_the_mounted_account_says_who_we_are() {
    let token = || Secret::from("mounted\n".to_owned());
    let config = Config::in_cluster("10.0.0.1", 443, &token(), b"CA".to_vec(), "shop\n");
    assert_eq!(
        (config.server.as_str(), config.namespace.as_str()),
        ("https://10.0.0.1:443", "shop")
    );
    let Login::Token(token_read) = &config.login else { panic!("{config:?}") };
    assert_eq!(token_read.expose_str(), Some("mounted"));
    let config = Config::in_cluster("fd00::1", 6443, &token(), Vec::new(), "shop");
    assert_eq!(config.server, "https://[fd00::1]:6443");
}
