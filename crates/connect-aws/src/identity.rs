//! Who the credentials are, and becoming a role.

use model::secret::Secret;
use serde_json::{Value, json};

use crate::client::{Aws, Tally};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::table::Ask;
use crate::tree::text_at;

/// Who the credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account: String,
    /// The user or the session of a role.
    pub arn: String,
}

impl Aws {
    /// Who the credentials are to AWS. Every caller may ask this.
    ///
    /// # Errors
    /// When AWS does not know them, or there is no answer.
    pub async fn identity(&self) -> Result<Identity, Error> {
        let ask = Ask::new("sts", "GetCallerIdentity", Value::Null);
        let answer = self.whole(&Tally::default(), &ask, &Value::Null).await?;
        let part = |name, fault| {
            text_at(&answer, name).ok_or_else(|| Error::Unreadable { call: ask.title(), fault })
        };
        Ok(Identity {
            account: part("Account", "it names no account")?,
            arn: part("Arn", "it names no caller")?,
        })
    }

    /// The keys of a role for an hour, under the name `session`, which AWS keeps in its records.
    /// `external_id` is what the owner of the role asks for so that nobody borrows us (AWS IAM User
    /// Guide, "The confused deputy problem").
    ///
    /// # Errors
    /// When the role may not be had, or there is no answer.
    pub async fn assume_role(
        &self,
        role_arn: &str,
        external_id: Option<&str>,
        session: &str,
    ) -> Result<Credentials, Error> {
        let input = json!({
            "RoleArn": role_arn,
            "RoleSessionName": session,
            "ExternalId": external_id,
            "DurationSeconds": 3600,
        });
        let ask = Ask::new("sts", "AssumeRole", input);
        let answer = self.whole(&Tally::default(), &ask, &Value::Null).await?;
        let part = |name| {
            let fault = "it has no keys";
            let text = text_at(&answer, &format!("Credentials.{name}"));
            text.ok_or_else(|| Error::Unreadable { call: ask.title(), fault })
        };
        Ok(Credentials {
            access_key_id: part("AccessKeyId")?,
            secret_access_key: Secret::from(part("SecretAccessKey")?),
            session_token: Some(Secret::from(part("SessionToken")?)),
            expires_at: part("Expiration")?.parse().ok(),
        })
    }
}
