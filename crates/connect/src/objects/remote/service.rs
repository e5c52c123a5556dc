//! The calls of the stores' libraries, made over the one way out.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use crate::outbound::{self, Call, Outbound};

/// Makes the calls of one reading and keeps what went wrong with them.
#[derive(Debug, Clone)]
pub(super) struct Way {
    outbound: Outbound,
    trouble: Arc<Mutex<Option<outbound::Error>>>,
}

impl Way {
    pub(super) fn new(outbound: Outbound) -> Self {
        Self { outbound, trouble: Arc::default() }
    }

    /// What went wrong with a call: the libraries' errors do not tell it apart.
    pub(super) fn trouble(&self) -> Option<outbound::Error> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpConnector for Way {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Way {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let url = parts.uri.to_string();
        let call = Call::new(parts.method, &url).signed(parts.headers).with_body(body.to_vec());
        let reply = self.outbound.send(call).await.map_err(|error| {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            // Of this kind none is made again: an address that may not be reached stays so.
            HttpError::new(HttpErrorKind::Unknown, error)
        })?;
        let mut response = HttpResponse::new(reply.body.into());
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}
