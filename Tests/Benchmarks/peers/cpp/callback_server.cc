// C++ gRPC, callback mode.
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "bench.grpc.pb.h"
#include "common.h"

using grpc::CallbackServerContext;

// Every watcher gets every tick; what it has not taken yet waits in its queue.
class Watcher final : public grpc::ServerWriteReactor<x::Message> {
 public:
  Watcher();

  void Post(const std::shared_ptr<const x::Message>& message) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (over_) return;
    queue_.push_back(message);
    if (queue_.size() == 1) StartWrite(queue_.front().get());
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ok || over_) return;
    queue_.pop_front();
    if (!queue_.empty()) StartWrite(queue_.front().get());
  }

  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  std::mutex mutex_;
  std::deque<std::shared_ptr<const x::Message>> queue_;
  bool over_ = false;
  std::list<Watcher*>::iterator place_;
};

static std::mutex watchers_mutex;
static std::list<Watcher*> watchers;

Watcher::Watcher() {
  {
    std::lock_guard<std::mutex> lock(watchers_mutex);
    place_ = watchers.insert(watchers.end(), this);
  }
  StartSendInitialMetadata();
}

void Watcher::OnCancel() {
  {
    std::lock_guard<std::mutex> lock(watchers_mutex);
    watchers.erase(place_);
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }
  Finish(grpc::Status::CANCELLED);
}

class Repeater final : public grpc::ServerWriteReactor<x::Message> {
 public:
  explicit Repeater(const x::Message* request) : message_(*request), left_(WantedCount(request->b())) {
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    left_ -= 1;
    StartWrite(&message_);
  }
  x::Message message_;
  std::uint64_t left_;
};

class Service final : public x::S::CallbackService {
  grpc::ServerUnaryReactor* y(CallbackServerContext* context, const x::Message* request,
                              x::Message* response) override {
    *response = *request;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Tick(CallbackServerContext* context, const x::Message* request,
                                 x::Message* response) override {
    auto message = std::make_shared<const x::Message>(*request);
    {
      std::lock_guard<std::mutex> lock(watchers_mutex);
      for (Watcher* watcher : watchers) watcher->Post(message);
    }
    *response = *request;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<x::Message>* Watch(CallbackServerContext*, const x::Message*) override {
    return new Watcher();
  }

  grpc::ServerWriteReactor<x::Message>* Stream(CallbackServerContext*,
                                               const x::Message* request) override {
    return new Repeater(request);
  }
};

int main(int count, char** words) {
  Service service;
  grpc::ServerBuilder builder;
  Listen(builder, count, words);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  Ready();
  server->Wait();
}
