// grpc.testing.TestService on C++ gRPC, synchronous: an independent server of the interop tests.
//
//   cpp-interop-server [CERTIFICATE KEY]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"

using namespace grpc::testing;
using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

namespace {

const char kInitial[] = "x-grpc-test-echo-initial";
const char kTrailing[] = "x-grpc-test-echo-trailing-bin";

void EchoMetadata(ServerContext* context) {
  const auto& sent = context->client_metadata();
  if (auto found = sent.find(kInitial); found != sent.end()) {
    context->AddInitialMetadata(kInitial, {found->second.data(), found->second.size()});
  }
  if (auto found = sent.find(kTrailing); found != sent.end()) {
    context->AddTrailingMetadata(kTrailing, {found->second.data(), found->second.size()});
  }
}

Payload MakePayload(int size) {
  Payload payload;
  payload.set_body(std::string(size, '\0'));
  return payload;
}

Status Asked(const EchoStatus& status) {
  return Status(static_cast<StatusCode>(status.code()), status.message());
}

template <typename Writer>
Status Stream(const StreamingOutputCallRequest& request, ServerContext* context, Writer* writer) {
  if (request.has_response_status() && request.response_status().code() != 0) {
    return Asked(request.response_status());
  }
  for (const auto& parameters : request.response_parameters()) {
    if (parameters.interval_us() > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(parameters.interval_us()));
    }
    StreamingOutputCallResponse response;
    *response.mutable_payload() = MakePayload(parameters.size());
    grpc::WriteOptions options;
    if (!parameters.compressed().value()) options.set_no_compression();
    if (!writer->Write(response, options)) break;
  }
  return Status::OK;
}

bool WantsCompression(const StreamingOutputCallRequest& request) {
  for (const auto& parameters : request.response_parameters()) {
    if (parameters.compressed().value()) return true;
  }
  return false;
}

class Service final : public TestService::Service {
  Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
    EchoMetadata(context);
    return Status::OK;
  }

  Status UnaryCall(
      ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    EchoMetadata(context);
    if (request->has_response_status() && request->response_status().code() != 0) {
      return Asked(request->response_status());
    }
    context->set_compression_level(
        request->response_compressed().value() ? GRPC_COMPRESS_LEVEL_HIGH
                                               : GRPC_COMPRESS_LEVEL_NONE);
    *response->mutable_payload() = MakePayload(request->response_size());
    return Status::OK;
  }

  Status StreamingOutputCall(
      ServerContext* context, const StreamingOutputCallRequest* request,
      grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    EchoMetadata(context);
    if (WantsCompression(*request)) context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
    return Stream(*request, context, writer);
  }

  Status StreamingInputCall(
      ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
      StreamingInputCallResponse* response) override {
    EchoMetadata(context);
    StreamingInputCallRequest request;
    int size = 0;
    while (reader->Read(&request)) size += request.payload().body().size();
    response->set_aggregated_payload_size(size);
    return Status::OK;
  }

  using Duplex =
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>;

  Status FullDuplexCall(ServerContext* context, Duplex* stream) override {
    EchoMetadata(context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      Status status = Stream(request, context, stream);
      if (!status.ok()) return status;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(ServerContext* context, Duplex* stream) override {
    EchoMetadata(context);
    std::vector<StreamingOutputCallRequest> requests;
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const auto& each : requests) {
      Status status = Stream(each, context, stream);
      if (!status.ok()) return status;
    }
    return Status::OK;
  }
};

std::string Contents(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  auto credentials = grpc::InsecureServerCredentials();
  if (argc == 3) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({Contents(argv[2]), Contents(argv[1])});
    credentials = grpc::SslServerCredentials(options);
  }
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on port " << port << std::endl;
  server->Wait();
}
