//! An estate that was never anywhere: resources as a state has them, and what became of some.
//!
//! Everything follows from the place of a resource, so that every run is given the same.

use serde_json::{Map, Value, json};

/// What a resource is told apart by in everything that is drawn.
const SEED: u64 = 0x05ee_d0fd_41f7;

/// The account of everything.
const ACCOUNT: &str = "123456789012";

/// A resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// As it was applied.
    pub(crate) declared: Map<String, Value>,
    /// What became of it.
    pub(crate) fate: Fate,
}

/// What became of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// It is as it was.
    Kept,
    /// It is written differently and says the same.
    Rewritten(Vec<(&'static str, Value)>),
    /// It was changed: the property by which that is told, and what is there instead.
    Changed(&'static str, Vec<(&'static str, Value)>),
    /// It is not there any more.
    Gone,
}

/// How many resources an estate has, and how many of them drifted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estate {
    pub(crate) size: usize,
    /// Every so-many-th resource drifted; 1 is all of them.
    pub(crate) every: usize,
}

/// One in this many is written differently, where not all drifted.
const REWRITTEN: usize = 50;

impl Estate {
    /// The resources in the order of their places.
    pub(crate) fn resources(self) -> impl Iterator<Item = Resource> {
        (0..self.size).map(move |place| self.resource(place))
    }

    /// The one at a place.
    pub(crate) fn resource(self, place: usize) -> Resource {
        let mut draw = Draw::of(place);
        let (kind, declared) = match draw.below(100) {
            0..40 => ("aws_instance", instance(place, &mut draw)),
            40..60 => ("aws_sqs_queue", queue(place, &mut draw)),
            60..75 => ("aws_db_instance", database(place, &mut draw)),
            _ => ("aws_security_group", group(place, &mut draw)),
        };
        let Value::Object(mut declared) = declared else { unreachable!("objects alone are made") };
        let fate = if place % self.every == self.every / 2 {
            drifted(kind, &declared, &mut draw)
        } else if self.every > 1 && place % REWRITTEN == 1 {
            rewritten(kind, &mut declared)
        } else {
            Fate::Kept
        };
        Resource { kind, name: format!("r{place:07}"), declared, fate }
    }
}

impl Resource {
    /// What declarations call it.
    pub(crate) fn address(&self) -> String {
        format!("{}.{}", self.kind, self.name)
    }

    /// As it is now; nothing when it is gone.
    pub(crate) fn live(&self) -> Option<Map<String, Value>> {
        let changes = match &self.fate {
            Fate::Gone => return None,
            Fate::Kept => &[][..],
            Fate::Rewritten(changes) | Fate::Changed(_, changes) => changes,
        };
        let mut live = self.declared.clone();
        live.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Some(live)
    }

    /// The attributes that are secrets.
    pub(crate) fn secrets(&self) -> &'static [&'static str] {
        if self.kind == "aws_db_instance" { &["password"] } else { &[] }
    }

    /// The attributes that a configuration would give it.
    pub(crate) fn configured(&self) -> &'static [&'static str] {
        match self.kind {
            "aws_instance" => {
                &["ami", "instance_type", "subnet_id", "vpc_security_group_ids", "tags"]
            }
            "aws_sqs_queue" => &["name", "visibility_timeout_seconds", "policy", "tags"],
            "aws_db_instance" => {
                &["identifier", "engine", "instance_class", "username", "password", "tags"]
            }
            _ => &["name", "description", "vpc_id", "ingress", "tags"],
        }
    }
}

/// Numbers that look drawn and follow from a place (splitmix64, Steele and others, 2014).
#[derive(Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn of(place: usize) -> Self {
        Self(SEED ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    pub(crate) fn of_these<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or_default();
        words.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn hex(&mut self) -> String {
        format!("{:017x}", self.next() >> 4)
    }

    fn address(&mut self) -> String {
        let number = self.next();
        format!("10.{}.{}.{}", number & 63, (number >> 8) & 255, (number >> 16) & 255)
    }
}

fn tags(place: usize, draw: &mut Draw) -> Value {
    json!({
        "Name": format!("svc-{:04}-{place}", place % 900),
        "cost-centre": format!("cc-{}", draw.below(90)),
        "environment": draw.of_these(&["prod", "staging", "dev"]),
        "managed-by": "terraform",
        "owner": format!("team-{}", draw.below(40)),
    })
}

fn instance(place: usize, draw: &mut Draw) -> Value {
    let (id, volume, interface) = (draw.hex(), draw.hex(), draw.hex());
    let (tags, private) = (tags(place, draw), draw.address());
    let zone = draw.of_these(&["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
    let of_it = json!({
        "ami": format!("ami-{}", draw.hex()),
        "arn": format!("arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-{id}"),
        "associate_public_ip_address": false, "availability_zone": zone,
        "capacity_reservation_specification": [
            {"capacity_reservation_preference": "open", "capacity_reservation_target": []}
        ],
        "cpu_core_count": 2,
        "cpu_options": [{"amd_sev_snp": "", "core_count": 2, "threads_per_core": 2}],
        "cpu_threads_per_core": 2, "credit_specification": [{"cpu_credits": "unlimited"}],
        "disable_api_stop": false, "disable_api_termination": true, "ebs_block_device": [],
        "ebs_optimized": true, "enable_primary_ipv6": null,
        "enclave_options": [{"enabled": false}], "ephemeral_block_device": [],
        "get_password_data": false, "hibernation": false, "host_id": "",
        "host_resource_group_arn": null,
        "iam_instance_profile": format!("svc-{:04}", place % 900),
        "id": format!("i-{id}"), "instance_initiated_shutdown_behavior": "stop",
        "instance_lifecycle": "", "instance_market_options": [], "instance_state": "running",
        "instance_type": draw.of_these(&["t3.medium", "m5.large", "c6i.xlarge", "r6g.2xlarge"]),
        "ipv6_address_count": 0, "ipv6_addresses": [], "key_name": "operations",
        "launch_template": [], "maintenance_options": [{"auto_recovery": "default"}],
        "metadata_options": [{
            "http_endpoint": "enabled", "http_protocol_ipv6": "disabled",
            "http_put_response_hop_limit": 1, "http_tokens": "required",
            "instance_metadata_tags": "disabled"
        }]
    });
    let around_it = json!({
        "monitoring": true, "network_interface": [], "outpost_arn": "", "password_data": "",
        "placement_group": "", "placement_partition_number": 0,
        "primary_network_interface_id": format!("eni-{interface}"),
        "private_dns": format!("ip-{}.eu-central-1.compute.internal", private.replace('.', "-")),
        "private_dns_name_options": [{
            "enable_resource_name_dns_a_record": false,
            "enable_resource_name_dns_aaaa_record": false, "hostname_type": "ip-name"
        }],
        "private_ip": private, "public_dns": "", "public_ip": "",
        "root_block_device": [{
            "delete_on_termination": true, "device_name": "/dev/xvda", "encrypted": true,
            "iops": 3000,
            "kms_key_id": format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{}", draw.hex()),
            "tags": {}, "tags_all": {}, "throughput": 125, "volume_id": format!("vol-{volume}"),
            "volume_size": 20 + draw.below(20) * 10, "volume_type": "gp3"
        }],
        "secondary_private_ips": [], "security_groups": [], "source_dest_check": true,
        "spot_instance_request_id": "", "subnet_id": format!("subnet-{}", draw.hex()),
        "tags": tags, "tags_all": tags, "tenancy": "default", "timeouts": null,
        "user_data": null, "user_data_base64": null, "user_data_replace_on_change": false,
        "volume_tags": null,
        "vpc_security_group_ids": [format!("sg-{}", draw.hex()), format!("sg-{}", draw.hex())]
    });
    let halves = [of_it, around_it].into_iter();
    let members =
        halves.filter_map(|half| if let Value::Object(half) = half { Some(half) } else { None });
    Value::Object(members.flatten().collect())
}

fn policy(name: &str, actions: &Value) -> Value {
    let arn = format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}");
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Senders", "Effect": "Allow",
                "Principal": {"AWS": [
                    format!("arn:aws:iam::{ACCOUNT}:role/ingest"),
                    format!("arn:aws:iam::{ACCOUNT}:role/orders")
                ]},
                "Action": actions, "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "true"}}
            },
            {
                "Sid": "Topics", "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage", "Resource": arn,
                "Condition": {"ArnEquals": {
                    "aws:SourceArn": format!("arn:aws:sns:eu-central-1:{ACCOUNT}:{name}")
                }}
            }
        ]
    })
}

/// What a queue's senders may do.
fn actions() -> Value {
    json!(["sqs:SendMessage", "sqs:GetQueueAttributes"])
}

fn queue_name(place: usize) -> String {
    format!("orders-{place}")
}

fn queue(place: usize, draw: &mut Draw) -> Value {
    let (name, tags) = (queue_name(place), tags(place, draw));
    let url = format!("https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{name}");
    json!({
        "arn": format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}"),
        "content_based_deduplication": false, "deduplication_scope": "", "delay_seconds": 0,
        "fifo_queue": false, "fifo_throughput_limit": "", "id": url,
        "kms_data_key_reuse_period_seconds": 300, "kms_master_key_id": "",
        "max_message_size": 262_144, "message_retention_seconds": 345_600, "name": name,
        "name_prefix": "", "policy": policy(&name, &actions()).to_string(),
        "receive_wait_time_seconds": 20, "redrive_allow_policy": "",
        "redrive_policy": json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}-dead"),
            "maxReceiveCount": 5
        }).to_string(),
        "sqs_managed_sse_enabled": true, "tags": tags, "tags_all": tags, "timeouts": null,
        "url": url, "visibility_timeout_seconds": 30 + draw.below(10) * 30
    })
}

fn database(place: usize, draw: &mut Draw) -> Value {
    let (name, tags, id) = (format!("db-{place}"), tags(place, draw), draw.hex());
    let address = format!("{name}.{}.eu-central-1.rds.amazonaws.com", &id[..12]);
    json!({
        "address": address, "allocated_storage": 20 + draw.below(10) * 20,
        "allow_major_version_upgrade": null, "apply_immediately": false,
        "arn": format!("arn:aws:rds:eu-central-1:{ACCOUNT}:db:{name}"),
        "auto_minor_version_upgrade": true, "availability_zone": "eu-central-1a",
        "backup_retention_period": 14, "backup_target": "region",
        "backup_window": "03:10-03:40", "blue_green_update": [],
        "ca_cert_identifier": "rds-ca-rsa2048-g1", "character_set_name": "",
        "copy_tags_to_snapshot": true, "custom_iam_instance_profile": "",
        "customer_owned_ip_enabled": false, "database_insights_mode": "standard",
        "db_name": "orders", "db_subnet_group_name": "private", "dedicated_log_volume": false,
        "delete_automated_backups": true, "deletion_protection": true, "domain": "",
        "enabled_cloudwatch_logs_exports": ["postgresql", "upgrade"],
        "endpoint": format!("{address}:5432"), "engine": "postgres", "engine_version": "16.4",
        "engine_version_actual": "16.4", "hosted_zone_id": "Z1RLNUO7B9Q6NB",
        "iam_database_authentication_enabled": true, "id": format!("db-{id}"),
        "identifier": name, "identifier_prefix": "",
        "instance_class": draw.of_these(&["db.t4g.medium", "db.r6g.large", "db.m6i.xlarge"]),
        "iops": 3000, "kms_key_id": format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{id}"),
        "latest_restorable_time": "", "license_model": "postgresql-license",
        "maintenance_window": "sun:04:10-sun:04:40", "max_allocated_storage": 0,
        "monitoring_interval": 60, "multi_az": true, "network_type": "IPV4",
        "option_group_name": "default:postgres-16", "parameter_group_name": "postgres16",
        "password": format!("canary-{}", draw.hex()), "performance_insights_enabled": true,
        "port": 5432, "publicly_accessible": false, "replicas": [], "replicate_source_db": "",
        "resource_id": format!("db-{}", id.to_uppercase()), "skip_final_snapshot": false,
        "status": "available", "storage_encrypted": true, "storage_throughput": 125,
        "storage_type": "gp3", "tags": tags, "tags_all": tags, "timeouts": null,
        "timezone": "", "username": "orders",
        "vpc_security_group_ids": [format!("sg-{}", draw.hex())]
    })
}

fn rule(port: u16, from: &str, why: &str) -> Value {
    json!({
        "cidr_blocks": [from], "description": why, "from_port": port, "ipv6_cidr_blocks": [],
        "prefix_list_ids": [], "protocol": "tcp", "security_groups": [], "self": false,
        "to_port": port
    })
}

fn group(place: usize, draw: &mut Draw) -> Value {
    let (id, tags) = (draw.hex(), tags(place, draw));
    json!({
        "arn": format!("arn:aws:ec2:eu-central-1:{ACCOUNT}:security-group/sg-{id}"),
        "description": "Managed by Terraform",
        "egress": [{
            "cidr_blocks": ["0.0.0.0/0"], "description": "", "from_port": 0,
            "ipv6_cidr_blocks": ["::/0"], "prefix_list_ids": [], "protocol": "-1",
            "security_groups": [], "self": false, "to_port": 0
        }],
        "id": format!("sg-{id}"),
        "ingress": [rule(443, "10.0.0.0/8", "the shop"), rule(5432, "10.1.0.0/16", "databases")],
        "name": format!("svc-{place}"), "name_prefix": "", "owner_id": ACCOUNT,
        "revoke_rules_on_delete": false, "tags": tags, "tags_all": tags, "timeouts": null,
        "vpc_id": format!("vpc-{}", draw.hex())
    })
}

/// A change that somebody made.
fn drifted(kind: &str, declared: &Map<String, Value>, draw: &mut Draw) -> Fate {
    let one = |name: &'static str, value: Value| Fate::Changed(name, vec![(name, value)]);
    let roll = draw.below(10);
    if roll == 0 {
        return Fate::Gone;
    }
    if roll < 4 {
        let mut tags = declared.get("tags").cloned().unwrap_or_default();
        if let Some(tags) = tags.as_object_mut() {
            tags.insert("owner".to_owned(), "nobody".into());
        }
        return Fate::Changed("tags", vec![("tags", tags.clone()), ("tags_all", tags)]);
    }
    match kind {
        "aws_instance" => one("instance_type", "x2iedn.32xlarge".into()),
        "aws_sqs_queue" => {
            let name = declared.get("name").and_then(Value::as_str).unwrap_or_default();
            one("policy", policy(name, &json!(["sqs:*"])).to_string().into())
        }
        "aws_db_instance" if roll < 7 => {
            one("password", format!("canary-changed-{}", draw.hex()).into())
        }
        "aws_db_instance" => one("publicly_accessible", true.into()),
        _ => {
            let mut rules = declared.get("ingress").cloned().unwrap_or_default();
            if let Some(rules) = rules.as_array_mut() {
                rules.push(rule(22, "0.0.0.0/0", "for now"));
            }
            one("ingress", rules)
        }
    }
}

/// The same, written differently: a policy in another order, no tags in another way.
fn rewritten(kind: &str, declared: &mut Map<String, Value>) -> Fate {
    if kind == "aws_sqs_queue" {
        let name = declared.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut turned = policy(name, &json!(["sqs:GetQueueAttributes", "sqs:SendMessage"]));
        if let Some(statements) = turned.get_mut("Statement").and_then(Value::as_array_mut) {
            statements.reverse();
        }
        return Fate::Rewritten(vec![("policy", turned.to_string().into())]);
    }
    declared.insert("tags".to_owned(), Value::Null);
    declared.insert("tags_all".to_owned(), json!({}));
    Fate::Rewritten(vec![("tags", json!({}))])
}
