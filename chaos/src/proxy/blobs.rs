//! Checkpoints pass as they are: a black hole swallows them and a cut breaks them off, but nothing else.

use acai_proto::v1;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::blob_service_server::BlobService;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Response, Status, Streaming};

use super::Door;
use super::witness::id;

#[tonic::async_trait]
impl BlobService for Door {
    type DownloadStream = Streaming<v1::DownloadResponse>;

    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        self.network.hole(self.worker).await?;
        let answer = BlobServiceClient::new(self.network.upstream(self.worker)).stat(request).await;
        if let Err(status) = &answer
            && status.code() == Code::DataLoss
        {
            self.network.note_no_blobs(self.worker);
        }
        answer
    }

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadRequest>>,
    ) -> Result<Response<v1::UploadResponse>, Status> {
        self.network.hole(self.worker).await?;
        let mut parts = request.into_inner();
        let first = parts.message().await?;
        let attempt = first.as_ref().and_then(|first| first.header.as_ref()?.attempt);
        // An upload that breaks off here ends there, too short for its digest.
        let parts = tokio_stream::iter(first).chain(parts.map_while(Result::ok));
        let answer = BlobServiceClient::new(self.network.upstream(self.worker)).upload(parts).await;
        if let (Some(attempt), Err(status)) = (attempt, &answer)
            && matches!(status.code(), Code::ResourceExhausted | Code::DataLoss)
        {
            self.network.note_no_room(self.worker, id(attempt));
        }
        answer
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        self.network.hole(self.worker).await?;
        BlobServiceClient::new(self.network.upstream(self.worker)).download(request).await
    }
}
