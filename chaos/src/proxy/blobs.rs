//! Checkpoints pass as they are: a black hole swallows them and a cut breaks them off, but nothing else.

use acai_proto::v1;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::blob_service_server::BlobService;
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, Streaming};

use super::Door;

#[tonic::async_trait]
impl BlobService for Door {
    type DownloadStream = Streaming<v1::DownloadResponse>;

    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        self.network.hole(self.worker).await?;
        BlobServiceClient::new(self.network.upstream()).stat(request).await
    }

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadRequest>>,
    ) -> Result<Response<v1::UploadResponse>, Status> {
        self.network.hole(self.worker).await?;
        // An upload that breaks off here ends there, too short for its digest.
        let parts = request.into_inner().map_while(Result::ok);
        BlobServiceClient::new(self.network.upstream()).upload(parts).await
    }

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        self.network.hole(self.worker).await?;
        BlobServiceClient::new(self.network.upstream()).download(request).await
    }
}
