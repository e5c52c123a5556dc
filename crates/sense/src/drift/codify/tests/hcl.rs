use serde_json::{Value as Json, json};

use super::*;

const INSTANCE: &str = r#"# the shop
resource "aws_instance" "web" { # one
  ami           = "ami-1" // pinned
  instance_type = "t3.micro"   # small
  /* tags */
  tags = {
    Name  = "web"
    owner = "shop" # who pays
  }

  root_block_device {
    volume_size = 10
  }
  lifecycle { ignore_changes = [user_data] }
}

resource "aws_instance" "other" {
  instance_type = "t3.micro"
}
"#;

fn instance(changes: &[(&str, Json, Json)], replaced: &[(&str, &str)]) {
    let mut expected = INSTANCE.to_owned();
    for (from, to) in replaced {
        assert!(expected.contains(from), "{from}");
        expected = expected.replacen(from, to, 1);
    }
    check("main.tf", INSTANCE, &drift("aws_instance", "aws_instance.web", changes), &expected);
}

#[test]
fn attributes_are_set_added_and_taken_out() {
    instance(
        &[("instance_type", json!("t3.micro"), json!("t3.large"))],
        &[("\"t3.micro\"   # small", "\"t3.large\"   # small")],
    );
    instance(
        &[("ami", json!("ami-1"), json!("a\"${b}\n%{c}\\"))],
        &[("\"ami-1\"", r#""a\"$${b}\n%%{c}\\""#)],
    );
    instance(
        &[("monitoring", json!(false), json!(true))],
        &[(
            "    owner = \"shop\" # who pays\n  }\n",
            "    owner = \"shop\" # who pays\n  }\n  monitoring = true\n",
        )],
    );
    instance(
        &[("ami", json!("ami-1"), json!(null))],
        &[("  ami           = \"ami-1\" // pinned\n", "")],
    );
}

#[test]
fn members_of_maps_are_set_added_and_taken_out() {
    instance(&[("tags.owner", json!("shop"), json!("nobody"))], &[("\"shop\"", "\"nobody\"")]);
    instance(
        &[("tags.team", json!(null), json!("a"))],
        &[("# who pays\n", "# who pays\n    team  = \"a\"\n")],
    );
    instance(
        &[("tags[\"a/b:c\"]", json!(null), json!("a"))],
        &[("# who pays\n", "# who pays\n    \"a/b:c\" = \"a\"\n")],
    );
    instance(
        &[("tags.owner", json!("shop"), json!(null))],
        &[("    owner = \"shop\" # who pays\n", "")],
    );
    instance(
        &[
            ("tags.Name", json!("web"), json!(null)),
            ("tags.owner", json!("shop"), json!("x")),
            ("tags.new", json!(null), json!("y")),
        ],
        &[
            ("    Name  = \"web\"\n", ""),
            ("\"shop\" # who pays\n", "\"x\" # who pays\n    new   = \"y\"\n"),
        ],
    );
}

#[test]
fn what_is_null_or_on_one_line_is_filled() {
    let of = |changes: &[(&str, Json, Json)]| drift("aws_instance", "aws_instance.web", changes);
    let tag = of(&[("tags.a", json!(null), json!("b"))]);
    for (before, after) in [
        ("{ tags = null }", "{ tags = { a = \"b\" } }"),
        ("{}", "{\n  tags = { a = \"b\" }\n}"),
        ("{ ami = \"x\" }", "{\n  ami = \"x\"\n  tags = { a = \"b\" }\n}"),
        ("{\n}", "{\n  tags = { a = \"b\" }\n}"),
        ("{\n  ami  = \"x\" # y\n}", "{\n  ami  = \"x\" # y\n  tags = { a = \"b\" }\n}"),
        ("{\n  tags = {}\n}", "{\n  tags = { a = \"b\" }\n}"),
        ("{\n  tags = { \"c\": \"d\" }\n}", "{\n  tags = { \"c\": \"d\", \"a\": \"b\" }\n}"),
        ("{\n  tags = {\n    c = 1,\n  }\n}", "{\n  tags = {\n    c = 1,\n    a = \"b\",\n  }\n}"),
    ] {
        let text = |inside: &str| format!("resource \"aws_instance\" \"web\" {inside}\n");
        check("main.tf", &text(before), &tag, &text(after));
    }
}

#[test]
fn blocks_inside_are_changed_and_added() {
    instance(
        &[("root_block_device[0].volume_size", json!(10), json!(20))],
        &[("volume_size = 10", "volume_size = 20")],
    );
    instance(
        &[("root_block_device[0].volume_type", json!("gp2"), json!("gp3"))],
        &[("volume_size = 10\n", "volume_size = 10\n    volume_type = \"gp3\"\n")],
    );
    instance(
        &[("metadata_options[0].http_tokens", json!("optional"), json!("required"))],
        &[(
            "  lifecycle { ignore_changes = [user_data] }\n}",
            "\n  metadata_options {\n    http_tokens = \"required\"\n  }\n\n  lifecycle { ignore_changes = [user_data] }\n}",
        )],
    );
}

const GROUP: &str = r#"resource "aws_security_group" "web" {
  name = "web"

  # from inside
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"] # ours
  }

  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "TCP"
    cidr_blocks = [
      "10.0.0.0/8",
      "10.1.0.0/16"
    ]
  }
}
"#;

fn group(changes: &[(&str, Json, Json)], replaced: &[(&str, &str)]) {
    let mut expected = GROUP.to_owned();
    for (from, to) in replaced {
        assert!(expected.contains(from), "{from}");
        expected = expected.replacen(from, to, 1);
    }
    let drift = drift("aws_security_group", "aws_security_group.web", changes);
    check("main.tf", GROUP, &drift, &expected);
}

#[test]
fn rules_of_a_group_are_found_by_what_they_let_through() {
    let rule = json!({
        "cidr_blocks": ["0.0.0.0/0"], "description": "", "from_port": 22, "ipv6_cidr_blocks": [],
        "prefix_list_ids": [], "protocol": "tcp", "security_groups": [], "self": false,
        "to_port": 22,
    });
    group(
        &[("ingress[tcp 22 22]", json!(null), rule)],
        &[(
            "    ]\n  }\n}",
            "    ]\n  }\n\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}",
        )],
    );
    let gone = json!({
        "cidr_blocks": ["10.0.0.0/8"], "description": "", "from_port": 443, "protocol": "tcp",
        "to_port": 443,
    });
    group(
        &[("ingress[tcp 443 443]", gone, json!(null))],
        &[(
            "  ingress {\n    from_port   = 443\n    to_port     = 443\n    protocol    = \"tcp\"\n    cidr_blocks = [\"10.0.0.0/8\"] # ours\n  }\n",
            "",
        )],
    );
    group(
        &[("ingress[tcp 443 443].cidr_blocks[0.0.0.0/0]", json!(null), json!("0.0.0.0/0"))],
        &[("[\"10.0.0.0/8\"] # ours", "[\"10.0.0.0/8\", \"0.0.0.0/0\"] # ours")],
    );
    group(
        &[
            ("ingress[tcp 80 80].cidr_blocks[0.0.0.0/0]", json!(null), json!("0.0.0.0/0")),
            ("ingress[tcp 80 80].cidr_blocks[10.1.0.0/16]", json!("10.1.0.0/16"), json!(null)),
        ],
        &[("      \"10.1.0.0/16\"\n", "      \"0.0.0.0/0\"\n")],
    );
}

const POLICY: &str = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17" # fixed
    Statement = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = ["a", "b"]
      },
    ]
  })
}
"#;

const HEREDOC: &str = "resource \"aws_iam_policy\" \"p\" {\n  policy = <<-EOT\n    {\n      \"Version\": \"2012-10-17\",\n      \"Statement\": [\n        {\"Sid\": \"Read\", \"Effect\": \"Allow\", \"Action\": [\"s3:GetObject\"], \"Resource\": \"a\"}\n      ]\n    }\n  EOT\n}\n";

#[test]
fn policies_are_changed_where_they_differ() {
    let policy =
        |changes: &[(&str, Json, Json)]| drift("aws_iam_policy", "aws_iam_policy.p", changes);
    let more = policy(&[
        ("policy.Statement.Read.Action[\"s3:putobject\"]", json!(null), json!("s3:putobject")),
        ("policy.Statement.Read.Effect", json!("Allow"), json!("Deny")),
        ("policy.Statement.Read.Resource.b", json!("b"), json!(null)),
    ]);
    check(
        "main.tf",
        POLICY,
        &more,
        &POLICY
            .replace("\"s3:GetObject\"", "[\"s3:GetObject\", \"s3:putobject\"]")
            .replace("\"Allow\"", "\"Deny\"")
            .replace("[\"a\", \"b\"]", "[\"a\"]"),
    );
    let state = json!({"policy": json!({"Statement": [{
        "Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"]
    }]}).to_string()});
    let spelled = Drift {
        actual: Some(state),
        ..policy(&[(
            "policy.Statement.Read.Action[\"s3:putobject\"]",
            json!(null),
            json!("s3:putobject"),
        )])
    };
    check(
        "main.tf",
        HEREDOC,
        &spelled,
        &HEREDOC.replace("[\"s3:GetObject\"]", "[\"s3:GetObject\", \"s3:PutObject\"]"),
    );
    let statement = json!({
        "Sid": "All", "Effect": "Allow", "Action": {"s3:*": "s3:*"}, "Resource": {"*": "*"},
        "Principal": {"AWS": {"*": "*"}},
    });
    check(
        "main.tf",
        HEREDOC,
        &policy(&[("policy.Statement.All", json!(null), statement)]),
        &HEREDOC.replace(
            "\"Resource\": \"a\"}\n",
            "\"Resource\": \"a\"},\n        {\"Action\": \"s3:*\", \"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"*\"}, \"Resource\": \"*\", \"Sid\": \"All\"}\n",
        ),
    );
    let none = policy(&[("policy.Statement.Read", json!({"Sid": "Read"}), json!(null))]);
    check("main.tf", HEREDOC, &none, &HEREDOC.replace("[\n        {\"Sid\": \"Read\", \"Effect\": \"Allow\", \"Action\": [\"s3:GetObject\"], \"Resource\": \"a\"}\n      ]", "[]"));
}

#[test]
fn what_is_no_literal_stays() {
    let text = "resource \"aws_instance\" \"web\" {\n  instance_type = var.size\n  ami = \"x-${local.a}\"\n  tags = merge(local.t, { a = \"b\" })\n  subnet_id = aws_subnet.a.id\n  vpc_security_group_ids = [aws_security_group.a.id, \"sg-1\"]\n}\n";
    let of = |changes: &[(&str, Json, Json)]| drift("aws_instance", "aws_instance.web", changes);
    for path in ["instance_type", "ami", "tags.a", "subnet_id"] {
        stays("main.tf", text, &of(&[(path, json!("a"), json!("b"))]), "computed");
    }
    let groups = "vpc_security_group_ids[sg-2]";
    stays("main.tf", text, &of(&[(groups, json!("sg-2"), json!(null))]), "computed");
    check(
        "main.tf",
        text,
        &of(&[(groups, json!(null), json!("sg-2"))]),
        &text.replace("\"sg-1\"]", "\"sg-1\", \"sg-2\"]"),
    );
    stays("main.tf", text, &of(&[("public_ip", json!("1"), json!("2"))]), "provider");
    let sealed = json!({"sealed": true});
    stays("main.tf", text, &of(&[("user_data", sealed.clone(), sealed)]), "secret");
    let ahead = of(&[("instance_type", json!("t3.nano"), json!("t3.large"))]);
    stays("main.tf", INSTANCE, &ahead, "ahead");
    let unknown = drift("x_y", "x_y.z", &[("size", json!(1), json!(2))]);
    stays("main.tf", "resource \"x_y\" \"z\" {}\n", &unknown, "unknown_property");
}

#[test]
fn blocks_that_stand_for_several_stay() {
    let change = [("instance_type", json!("a"), json!("b"))];
    let of = |address| drift("aws_instance", address, &change);
    let counted = "resource \"aws_instance\" \"web\" {\n  count = 2\n  instance_type = \"a\"\n}\n";
    stays("main.tf", counted, &of("aws_instance.web[0]"), "repeated");
    stays("main.tf", counted, &of("aws_instance.web"), "repeated");
    stays("main.tf", counted, &of("aws_instance.none"), "not_found");
    let twice = "resource \"aws_instance\" \"web\" {}\nresource \"aws_instance\" \"web\" {}\n";
    stays("main.tf", twice, &of("aws_instance.web"), "ambiguous");
    stays("main.tf", "resource {", &of("aws_instance.web"), "not_found");
    stays("main.tf", "resource \"web\" {", &of("aws_instance.web"), "unreadable");
    stays(
        "a.tf.json",
        "{\"resource\": {\"aws_instance\": {\"web\": {}}}}",
        &of("aws_instance.web"),
        "json_syntax",
    );
    let dynamic = "resource \"aws_security_group\" \"web\" {\n  dynamic \"ingress\" {\n    for_each = var.ports\n    content {}\n  }\n}\n";
    let rule = drift(
        "aws_security_group",
        "aws_security_group.web",
        &[("ingress[tcp 22 22]", json!(null), json!({"from_port": 22}))],
    );
    stays("main.tf", dynamic, &rule, "dynamic");
    for how in ["deleted", "added", "moved"] {
        let report =
            json!([{"address": "aws_instance.web", "type": "aws_instance", "drift_type": how}]);
        let drift = read(&report.to_string()).unwrap().remove(0);
        let reason = if how == "added" { "unmanaged" } else { how };
        stays("main.tf", INSTANCE, &drift, reason);
    }
}

#[test]
fn modules_of_the_directory_are_entered() {
    let module = "resource \"aws_instance\" \"web\" {\n  instance_type = \"a\"\n}\n";
    let call = |name: &str, more: &str| {
        format!("module \"{name}\" {{\n  source = \"./modules/net\"\n{more}}}\n")
    };
    let made = |main: &str| {
        let files = [("main.tf", main), ("modules/net/main.tf", module)];
        let change = [("instance_type", json!("a"), json!("b"))];
        let drift = drift("aws_instance", "module.net.aws_instance.web", &change);
        let made = codify(&sources(&files), &[drift], Rules::shipped());
        let reason = made.left.first().map(|left| left.reason);
        (made.files, reason)
    };
    let (files, reason) = made(&call("net", ""));
    assert_eq!(reason, None);
    assert_eq!(
        files.into_iter().collect::<Vec<_>>(),
        [("modules/net/main.tf".to_owned(), module.replace("\"a\"", "\"b\""))]
    );
    assert_eq!(made(&format!("{}{}", call("net", ""), call("more", ""))).1, Some("shared_module"));
    assert_eq!(made(&call("net", "  count = 1\n")).1, Some("repeated"));
    assert_eq!(made(&call("net", "").replace("./modules", "../modules")).1, Some("outside"));
    assert_eq!(
        made(&call("net", "").replace("./modules", "example.com/x")).1,
        Some("remote_module")
    );
    assert_eq!(made(&call("other", "")).1, Some("not_found"));
}
