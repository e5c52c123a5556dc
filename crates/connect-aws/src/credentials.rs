//! Who we are to AWS, and signatures that show it.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use connect::outbound::Call;
use jiff::Timestamp;
use model::secret::Secret;

use crate::wire::Request;

/// The keys of a user, or of a role for a while.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the key, which is no secret.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// What goes with the key of a role.
    pub session_token: Option<Secret>,
    /// When they end; those of a user do not.
    pub expires_at: Option<Timestamp>,
}

/// What a signature is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The service, as signatures call it.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    /// S3 signs paths as they are, and what is sent with them; the others do neither.
    pub(crate) s3: bool,
    pub(crate) at: Timestamp,
}

impl Credentials {
    /// The call of a request, signed.
    ///
    /// # Errors
    /// When the keys or the request are of a form that cannot be signed.
    pub(crate) fn sign<'r>(
        &self,
        request: &'r Request,
        scope: Scope<'_>,
    ) -> Result<Call<'r>, &'static str> {
        let call = Call::new(request.method.clone(), &request.url).with_body(request.body.clone());
        let call =
            request.headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        // All of them are secret: the signature is good for minutes, the token for hours.
        let signed = self.headers(request, scope)?.into_iter();
        Ok(signed.fold(call, |call, (name, value)| call.secret_header(name, Secret::from(value))))
    }

    /// The headers that sign a request.
    fn headers(
        &self,
        request: &Request,
        scope: Scope<'_>,
    ) -> Result<Vec<(&'static str, String)>, &'static str> {
        const FAULT: &str = "its signature cannot be made";
        let text = |secret: &Secret| secret.expose_str().map(str::to_owned).ok_or(FAULT);
        let token = self.session_token.as_ref().map(text).transpose()?;
        let identity = aws_credential_types::Credentials::new(
            self.access_key_id.clone(),
            text(&self.secret_access_key)?,
            token,
            None,
            "countersign",
        )
        .into();
        let mut settings = SigningSettings::default();
        if scope.s3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(SystemTime::from(scope.at))
            .settings(settings)
            .build()
            .map_err(|_| FAULT)?
            .into();
        let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(&request.body);
        let signable = SignableRequest::new(request.method.as_str(), &*request.url, headers, body);
        let signable = signable.map_err(|_| FAULT)?;
        let (signed, _) = sign(signable, &params).map_err(|_| FAULT)?.into_parts();
        let (made, _) = signed.into_parts();
        Ok(made.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}

#[cfg(test)]
mod tests;
