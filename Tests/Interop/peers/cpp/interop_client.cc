// gRPC's interop test cases on C++ gRPC: an independent client of the interop tests.
//
//   cpp-interop-client TARGET [CA-FILE]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"

using namespace grpc::testing;
using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;

namespace {

const char kInitial[] = "x-grpc-test-echo-initial";
const char kTrailing[] = "x-grpc-test-echo-trailing-bin";
const int kSent[] = {27182, 8, 1828, 45904};
const int kAnswered[] = {31415, 9, 2653, 58979};

std::shared_ptr<grpc::Channel> channel;
std::unique_ptr<TestService::Stub> stub;

void Expect(bool is_true, const std::string& what) {
  if (!is_true) throw std::runtime_error(what);
}

void ExpectStatus(const Status& status, StatusCode code) {
  Expect(
      status.error_code() == code,
      "status " + std::to_string(status.error_code()) + " (" + status.error_message() + "), not " +
          std::to_string(code));
}

void SetDeadline(ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
}

SimpleRequest Large() {
  SimpleRequest request;
  request.set_response_size(314159);
  request.mutable_payload()->set_body(std::string(271828, '\0'));
  return request;
}

void ExpectLarge(const SimpleResponse& response) {
  Expect(response.payload().body() == std::string(314159, '\0'), "the payload is another");
}

StreamingOutputCallRequest Output(int size, std::vector<int> answers) {
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(std::string(size, '\0'));
  for (int answer : answers) request.add_response_parameters()->set_size(answer);
  return request;
}

void EmptyUnary() {
  ClientContext context;
  SetDeadline(context);
  Empty response;
  ExpectStatus(stub->EmptyCall(&context, Empty(), &response), StatusCode::OK);
}

void LargeUnary() {
  ClientContext context;
  SetDeadline(context);
  SimpleResponse response;
  ExpectStatus(stub->UnaryCall(&context, Large(), &response), StatusCode::OK);
  ExpectLarge(response);
}

void ClientCompressedUnary() {
  for (auto [compresses, expected] :
       {std::pair(false, true), std::pair(true, true), std::pair(false, false)}) {
    ClientContext context;
    SetDeadline(context);
    if (compresses) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    SimpleRequest request = Large();
    request.mutable_expect_compressed()->set_value(expected);
    SimpleResponse response;
    Status status = stub->UnaryCall(&context, request, &response);
    if (compresses != expected) {
      ExpectStatus(status, StatusCode::INVALID_ARGUMENT);
    } else {
      ExpectStatus(status, StatusCode::OK);
      ExpectLarge(response);
    }
  }
}

void ServerCompressedUnary() {
  for (bool wanted : {true, false}) {
    ClientContext context;
    SetDeadline(context);
    SimpleRequest request = Large();
    request.mutable_response_compressed()->set_value(wanted);
    SimpleResponse response;
    ExpectStatus(stub->UnaryCall(&context, request, &response), StatusCode::OK);
    ExpectLarge(response);
  }
}

void ClientStreaming() {
  ClientContext context;
  SetDeadline(context);
  StreamingInputCallResponse response;
  auto writer = stub->StreamingInputCall(&context, &response);
  for (int size : kSent) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(std::string(size, '\0'));
    Expect(writer->Write(request), "the server takes no more");
  }
  writer->WritesDone();
  ExpectStatus(writer->Finish(), StatusCode::OK);
  Expect(response.aggregated_payload_size() == 74922, "another aggregated size");
}

StreamingInputCallRequest Compressed(int size, bool expected) {
  StreamingInputCallRequest request;
  request.mutable_payload()->set_body(std::string(size, '\0'));
  request.mutable_expect_compressed()->set_value(expected);
  return request;
}

void ClientCompressedStreaming() {
  {
    ClientContext context;
    SetDeadline(context);
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    StreamingInputCallResponse response;
    auto writer = stub->StreamingInputCall(&context, &response);
    writer->Write(Compressed(27182, true), grpc::WriteOptions().set_no_compression());
    writer->WritesDone();
    ExpectStatus(writer->Finish(), StatusCode::INVALID_ARGUMENT);
  }
  ClientContext context;
  SetDeadline(context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  StreamingInputCallResponse response;
  auto writer = stub->StreamingInputCall(&context, &response);
  Expect(writer->Write(Compressed(27182, true)), "the server takes no more");
  Expect(
      writer->Write(Compressed(45904, false), grpc::WriteOptions().set_no_compression()),
      "the server takes no second message");
  writer->WritesDone();
  ExpectStatus(writer->Finish(), StatusCode::OK);
  Expect(response.aggregated_payload_size() == 73086, "another aggregated size");
}

void ExpectAnswers(const StreamingOutputCallRequest& request) {
  ClientContext context;
  SetDeadline(context);
  auto reader = stub->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  int count = 0;
  while (reader->Read(&response)) {
    Expect(count < request.response_parameters_size(), "too many responses");
    Expect(
        response.payload().body() ==
            std::string(request.response_parameters(count).size(), '\0'),
        "the payload is another");
    ++count;
  }
  ExpectStatus(reader->Finish(), StatusCode::OK);
  Expect(count == request.response_parameters_size(), "too few responses");
}

void ServerStreaming() { ExpectAnswers(Output(0, {31415, 9, 2653, 58979})); }

void ServerCompressedStreaming() {
  StreamingOutputCallRequest request = Output(0, {31415, 92653});
  request.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
  request.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
  ExpectAnswers(request);
}

void PingPong() {
  ClientContext context;
  SetDeadline(context);
  auto stream = stub->FullDuplexCall(&context);
  for (int i = 0; i < 4; ++i) {
    Expect(stream->Write(Output(kSent[i], {kAnswered[i]})), "the server takes no more");
    StreamingOutputCallResponse response;
    Expect(stream->Read(&response), "no response");
    Expect(response.payload().body() == std::string(kAnswered[i], '\0'), "another payload");
  }
  stream->WritesDone();
  StreamingOutputCallResponse response;
  Expect(!stream->Read(&response), "a response too many");
  ExpectStatus(stream->Finish(), StatusCode::OK);
}

void EmptyStream() {
  ClientContext context;
  SetDeadline(context);
  auto stream = stub->FullDuplexCall(&context);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  Expect(!stream->Read(&response), "a response too many");
  ExpectStatus(stream->Finish(), StatusCode::OK);
}

void AddMetadata(ClientContext& context) {
  context.AddMetadata(kInitial, "test_initial_metadata_value");
  context.AddMetadata(kTrailing, "\xab\xab\xab");
}

void ExpectMetadata(const ClientContext& context) {
  const auto& initial = context.GetServerInitialMetadata();
  auto first = initial.find(kInitial);
  Expect(
      first != initial.end() && first->second == "test_initial_metadata_value",
      "the initial metadata is another");
  const auto& trailing = context.GetServerTrailingMetadata();
  auto second = trailing.find(kTrailing);
  Expect(
      second != trailing.end() && second->second == "\xab\xab\xab",
      "the trailing metadata is another");
}

void CustomMetadata() {
  {
    ClientContext context;
    SetDeadline(context);
    AddMetadata(context);
    SimpleResponse response;
    ExpectStatus(stub->UnaryCall(&context, Large(), &response), StatusCode::OK);
    ExpectMetadata(context);
  }
  ClientContext context;
  SetDeadline(context);
  AddMetadata(context);
  auto stream = stub->FullDuplexCall(&context);
  stream->Write(Output(271828, {314159}));
  stream->WritesDone();
  StreamingOutputCallResponse response;
  Expect(stream->Read(&response), "no response");
  Expect(!stream->Read(&response), "a response too many");
  ExpectStatus(stream->Finish(), StatusCode::OK);
  ExpectMetadata(context);
}

void ExpectEchoedStatus(const std::string& message) {
  ClientContext context;
  SetDeadline(context);
  SimpleRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(message);
  SimpleResponse response;
  Status status = stub->UnaryCall(&context, request, &response);
  ExpectStatus(status, StatusCode::UNKNOWN);
  Expect(status.error_message() == message, "another message: " + status.error_message());
}

void StatusCodeAndMessage() {
  ExpectEchoedStatus("test status message");
  ClientContext context;
  SetDeadline(context);
  StreamingOutputCallRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message("test status message");
  auto stream = stub->FullDuplexCall(&context);
  stream->Write(request);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  while (stream->Read(&response)) {
  }
  Status status = stream->Finish();
  ExpectStatus(status, StatusCode::UNKNOWN);
  Expect(status.error_message() == "test status message", "another message");
}

void SpecialStatusMessage() {
  ExpectEchoedStatus(
      "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n");
}

void UnimplementedMethod() {
  ClientContext context;
  SetDeadline(context);
  Empty response;
  ExpectStatus(stub->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void UnimplementedServiceCase() {
  ClientContext context;
  SetDeadline(context);
  Empty response;
  auto other = UnimplementedService::NewStub(channel);
  ExpectStatus(other->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void CancelAfterBegin() {
  ClientContext context;
  SetDeadline(context);
  StreamingInputCallResponse response;
  auto writer = stub->StreamingInputCall(&context, &response);
  context.TryCancel();
  ExpectStatus(writer->Finish(), StatusCode::CANCELLED);
}

void CancelAfterFirstResponse() {
  ClientContext context;
  SetDeadline(context);
  auto stream = stub->FullDuplexCall(&context);
  stream->Write(Output(27182, {31415}));
  StreamingOutputCallResponse response;
  Expect(stream->Read(&response), "no response");
  context.TryCancel();
  ExpectStatus(stream->Finish(), StatusCode::CANCELLED);
}

void TimeoutOnSleepingServer() {
  ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  auto stream = stub->FullDuplexCall(&context);
  stream->Write(Output(27182, {}));
  ExpectStatus(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

const std::vector<std::pair<const char*, std::function<void()>>> kCases = {
    {"empty_unary", EmptyUnary},
    {"large_unary", LargeUnary},
    {"client_compressed_unary", ClientCompressedUnary},
    {"server_compressed_unary", ServerCompressedUnary},
    {"client_streaming", ClientStreaming},
    {"client_compressed_streaming", ClientCompressedStreaming},
    {"server_streaming", ServerStreaming},
    {"server_compressed_streaming", ServerCompressedStreaming},
    {"ping_pong", PingPong},
    {"empty_stream", EmptyStream},
    {"custom_metadata", CustomMetadata},
    {"status_code_and_message", StatusCodeAndMessage},
    {"special_status_message", SpecialStatusMessage},
    {"unimplemented_method", UnimplementedMethod},
    {"unimplemented_service", UnimplementedServiceCase},
    {"cancel_after_begin", CancelAfterBegin},
    {"cancel_after_first_response", CancelAfterFirstResponse},
    {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  auto credentials = grpc::InsecureChannelCredentials();
  if (argc > 2) {
    std::ostringstream roots;
    roots << std::ifstream(argv[2]).rdbuf();
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = roots.str();
    credentials = grpc::SslCredentials(options);
  }
  channel = grpc::CreateChannel(argv[1], credentials);
  stub = TestService::NewStub(channel);
  int failures = 0;
  for (const auto& [name, run] : kCases) {
    try {
      run();
      std::cout << "PASS " << name << std::endl;
    } catch (const std::exception& error) {
      std::cout << "FAIL " << name << ": " << error.what() << std::endl;
      ++failures;
    }
  }
  return failures == 0 ? 0 : 1;
}
