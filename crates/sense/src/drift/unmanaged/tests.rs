use serde_json::json;

use super::*;

#[test]
fn what_aws_makes_by_itself_is_nobodys_omission() {
    assert_eq!(cloud_type("aws_instance"), Some("AWS::EC2::Instance"));
    assert_eq!(cloud_type("aws_subnet"), None);
    for (kind, properties, theirs) in [
        ("aws_security_group", json!({"GroupName": "default"}), true),
        ("aws_security_group", json!({"GroupName": "default-web"}), false),
        ("aws_iam_role", json!({"Path": "/aws-service-role/ecs.amazonaws.com/"}), true),
        ("aws_iam_role", json!({"Path": "/"}), false),
        ("aws_instance", json!({}), false),
    ] {
        let value = Value::from_json(&properties);
        assert_eq!(of_the_provider(kind, &value), theirs, "{kind} {properties}");
    }
}
