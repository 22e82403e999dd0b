//! Most of what staff do to a thing has one form: an address, a body, and a service function that does it and answers
//! nothing. Who uses it has `post` and `Problem` in scope: the description of the API reads these words.

/// Declares one act: its address, its body, and the service function that does it.
macro_rules! act {
    (
        $(#[doc = $doc:literal])+
        $name:ident, $tag:literal, $thing:ty, $path:literal, $body:ty, $operation:literal,
        |$application:ident, $command:ident, $county:ident, $id:ident, $value:ident| $call:expr
    ) => {
        $(#[doc = $doc])+
        #[utoipa::path(tag = $tag, security(("access_token" = [])), request_body = $body,
            params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
            responses(
                (status = 204),
                (status = 401, body = Problem, content_type = "application/problem+json"),
                (status = 403, body = Problem, content_type = "application/problem+json"),
                (status = 404, body = Problem, content_type = "application/problem+json"),
                (status = 409, body = Problem, content_type = "application/problem+json", description = "the state does not allow it"),
                (status = 422, body = Problem, content_type = "application/problem+json"),
            ))]
        #[post($path)]
        async fn $name(
            $application: actix_web::web::Data<$crate::Application>,
            person: $crate::http::authentication::SignedIn,
            path: actix_web::web::Path<$thing>,
            input: $crate::http::input::Input<$body>,
        ) -> $crate::http::problem::Answer<actix_web::HttpResponse> {
            let $id = *path;
            let $command = input.command(&person.actor, &format!(concat!($operation, ":{}"), $id))?;
            let $county = $crate::http::complaints::county(&person.actor)?;
            let $value = input.value;
            $call.await?;
            Ok(actix_web::HttpResponse::NoContent().finish())
        }
    };
}

pub(crate) use act;
