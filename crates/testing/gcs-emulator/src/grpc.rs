//! `google.storage.v2.Storage`.

use std::future::{Ready, ready};
use std::sync::Arc;

use ::http::Request;
use googleapis_tonic_google_storage_v2::google::storage::v2;
use hyper::body::Incoming;
use tonic::server::{Grpc, UnaryService};
use tonic::{Response, Status};
use tonic_prost::ProstCodec;

use crate::emulator::Shared;
use crate::fault::{Call, Fault};
use crate::refusal::Refusal;
use crate::resource::{from_message, to_message};
use crate::server::{Reply, fault_of, lost};
use crate::store::{Conditions, Query};

const SERVICE: &str = "/google.storage.v2.Storage/";

pub(crate) async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Reply {
    let path = request.uri().path();
    match path.strip_prefix(SERVICE).unwrap_or_default() {
        "GetObject" => serve(request, shared, Call::Get, get).await,
        "DeleteObject" => serve(request, shared, Call::Delete, delete).await,
        "ListObjects" => serve(request, shared, Call::List, list).await,
        "UpdateObject" => serve(request, shared, Call::Update, update).await,
        "RewriteObject" => serve(request, shared, Call::Rewrite, rewrite).await,
        _ => Ok(Status::unimplemented(path.to_owned()).into_http()),
    }
}

type Handler<M, R> = fn(&Shared, &M) -> Result<R, Refusal>;

/// One method for one request.
struct Method<M, R> {
    shared: Arc<Shared>,
    handle: Handler<M, R>,
}

impl<M, R> UnaryService<M> for Method<M, R> {
    type Response = R;
    type Future = Ready<Result<Response<R>, Status>>;

    fn call(&mut self, request: tonic::Request<M>) -> Self::Future {
        let answer = (self.handle)(&self.shared, request.get_ref());
        ready(answer.map(Response::new).map_err(Status::from))
    }
}

async fn serve<M, R>(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    call: Call,
    handle: Handler<M, R>,
) -> Reply
where
    M: prost::Message + Default + Send + 'static,
    R: prost::Message + Send + 'static,
{
    let fault = match fault_of(&shared, call).await {
        Err(status) => return Ok(Status::from(Refusal::new(status, "as injected")).into_http()),
        Ok(fault) => fault,
    };
    let mut grpc = Grpc::new(ProstCodec::<R, M>::default());
    let answer = grpc.unary(Method { shared, handle }, request).await;
    if fault == Some(Fault::LoseReply) {
        return Err(lost());
    }
    Ok(answer)
}

fn bucket_id(name: &str) -> Result<&str, Refusal> {
    let id = name.strip_prefix("projects/_/buckets/");
    id.ok_or_else(|| Refusal::invalid(format!("the bucket name {name:?}")))
}

/// The conditions of a message, whose fields have the same names in all of them.
macro_rules! conditions {
    ($message:expr) => {
        Conditions {
            generation: $message.if_generation_match,
            generation_not: $message.if_generation_not_match,
            metageneration: $message.if_metageneration_match,
            metageneration_not: $message.if_metageneration_not_match,
        }
    };
}

fn get(shared: &Shared, message: &v2::GetObjectRequest) -> Result<v2::Object, Refusal> {
    let (bucket, name) = (bucket_id(&message.bucket)?, &message.object);
    let store = shared.store();
    let object = store.get(bucket, name, message.generation, conditions!(message))?;
    Ok(to_message(bucket, name, object))
}

fn delete(shared: &Shared, message: &v2::DeleteObjectRequest) -> Result<(), Refusal> {
    let bucket = bucket_id(&message.bucket)?;
    let conditions = conditions!(message);
    let mut store = shared.store();
    store.delete(bucket, &message.object, message.generation, conditions)
}

fn list(
    shared: &Shared,
    message: &v2::ListObjectsRequest,
) -> Result<v2::ListObjectsResponse, Refusal> {
    let bucket = bucket_id(&message.parent)?;
    let size = usize::try_from(message.page_size).unwrap_or(0);
    let query = Query {
        prefix: &message.prefix,
        delimiter: &message.delimiter,
        start: &message.lexicographic_start,
        after: &message.page_token,
        limit: if size == 0 { 1000 } else { size.min(1000) },
    };
    let page = shared.store().list(bucket, &query)?;
    let objects = page.objects.iter();
    Ok(v2::ListObjectsResponse {
        objects: objects
            .map(|(name, object)| to_message(bucket, name, object))
            .collect(),
        prefixes: page.prefixes,
        next_page_token: page.next.unwrap_or_default(),
    })
}

fn update(shared: &Shared, message: &v2::UpdateObjectRequest) -> Result<v2::Object, Refusal> {
    let conditions = conditions!(message);
    let object = message.object.clone().unwrap_or_default();
    let mask = message.update_mask.clone().unwrap_or_default().paths;
    let (bucket, name) = (bucket_id(&object.bucket)?.to_owned(), object.name.clone());
    let new = from_message(object);
    if mask.is_empty() {
        return Err(Refusal::invalid("an update names its fields"));
    }
    let mut store = shared.store();
    let updated = store.update(&bucket, &name, conditions, |attributes| {
        for field in &mask {
            match field.as_str() {
                "metadata" => attributes.metadata.clone_from(&new.metadata),
                "content_type" => attributes.content_type.clone_from(&new.content_type),
                "cache_control" => attributes.cache_control.clone_from(&new.cache_control),
                other => return Err(Refusal::invalid(format!("the field {other:?}"))),
            }
        }
        Ok(())
    })?;
    Ok(to_message(&bucket, &name, &updated))
}

fn rewrite(
    shared: &Shared,
    message: &v2::RewriteObjectRequest,
) -> Result<v2::RewriteResponse, Refusal> {
    let from = bucket_id(&message.source_bucket)?;
    let to = bucket_id(&message.destination_bucket)?;
    let of_source = Conditions {
        generation: message.if_source_generation_match,
        generation_not: message.if_source_generation_not_match,
        metageneration: message.if_source_metageneration_match,
        metageneration_not: message.if_source_metageneration_not_match,
    };
    let mut store = shared.store();
    let source = store.get(
        from,
        &message.source_object,
        message.source_generation,
        of_source,
    )?;
    let attributes = message.destination.clone().map(from_message);
    let attributes = attributes.unwrap_or_else(|| source.attributes.clone());
    let size = i64::try_from(source.content.len()).unwrap_or(i64::MAX);
    if message.rewrite_token.is_empty() && source.content.len() > REWRITTEN_AT_ONCE {
        return Ok(v2::RewriteResponse {
            total_bytes_rewritten: REWRITTEN_AT_ONCE as i64,
            object_size: size,
            done: false,
            rewrite_token: "half-way".to_owned(),
            resource: None,
        });
    }
    let object = crate::object::Object::new(source.content.clone(), attributes);
    let name = &message.destination_name;
    let object = store.insert(to, name, object, &Default::default(), conditions!(message))?;
    Ok(v2::RewriteResponse {
        total_bytes_rewritten: size,
        object_size: size,
        done: true,
        rewrite_token: String::new(),
        resource: Some(to_message(to, name, &object)),
    })
}

/// Larger objects take two calls, as in the service those do that move between places.
const REWRITTEN_AT_ONCE: usize = 4 << 20;
