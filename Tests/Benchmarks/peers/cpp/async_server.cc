// C++ gRPC, asynchronous mode: one completion queue and one thread, which suits one processor.
#include <deque>
#include <list>
#include <memory>

#include "bench.grpc.pb.h"
#include "common.h"

static x::S::AsyncService service;
static grpc::ServerCompletionQueue* queue;

// One tag of the queue. Everything runs on its one thread, so nothing here needs a lock.
class Event {
 public:
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

class Echo final : public Event {
 public:
  Echo() { Wait(); }
  void Proceed(bool ok) override {
    if (!ok) return;
    if (!answering_) {
      answering_ = true;
      *response_ = *request_;
      responder_->Finish(*response_, grpc::Status::OK, this);
    } else {
      Wait();
    }
  }

 private:
  void Wait() {
    answering_ = false;
    context_ = std::make_unique<grpc::ServerContext>();
    responder_ = std::make_unique<grpc::ServerAsyncResponseWriter<x::Message>>(context_.get());
    service.Requesty(context_.get(), request_.get(), responder_.get(), queue, queue, this);
  }
  bool answering_ = false;
  std::unique_ptr<x::Message> request_ = std::make_unique<x::Message>();
  std::unique_ptr<x::Message> response_ = std::make_unique<x::Message>();
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<grpc::ServerAsyncResponseWriter<x::Message>> responder_;
};

class Watcher final : public Event {
 public:
  Watcher() : writer_(&context_) {
    context_.AsyncNotifyWhenDone(&done_);
    service.RequestWatch(&context_, &request_, &writer_, queue, queue, this);
  }
  static std::list<Watcher*> all;

  void Post(const std::shared_ptr<const x::Message>& message) {
    messages_.push_back(message);
    Write();
  }

  void Proceed(bool ok) override {
    if (!accepted_) {
      if (!ok) return;
      accepted_ = true;
      new Watcher();
      place_ = all.insert(all.end(), this);
      busy_ = true;
      writer_.SendInitialMetadata(this);
      return;
    }
    busy_ = false;
    if (finishing_) {
      ended_ = true;
      return Release();
    }
    if (writing_) {
      writing_ = false;
      messages_.pop_front();
    }
    if (!ok) return;  // `Done` follows
    Write();
    FinishIfDone();
  }

 private:
  class Done final : public Event {
   public:
    explicit Done(Watcher* watcher) : watcher_(watcher) {}
    void Proceed(bool) override { watcher_->Gone(); }

   private:
    Watcher* watcher_;
  };

  void Write() {
    if (busy_ || messages_.empty() || gone_) return;
    busy_ = writing_ = true;
    writer_.Write(*messages_.front(), this);
  }
  void Gone() {
    gone_ = true;
    if (accepted_) all.erase(place_);
    FinishIfDone();
  }
  void FinishIfDone() {
    if (!gone_ || busy_ || finishing_) return;
    finishing_ = busy_ = true;
    writer_.Finish(grpc::Status::CANCELLED, this);
  }
  void Release() {
    if (gone_ && ended_) delete this;
  }

  bool accepted_ = false, busy_ = false, writing_ = false, gone_ = false, finishing_ = false,
       ended_ = false;
  grpc::ServerContext context_;
  x::Message request_;
  grpc::ServerAsyncWriter<x::Message> writer_;
  std::deque<std::shared_ptr<const x::Message>> messages_;
  std::list<Watcher*>::iterator place_;
  Done done_{this};
};

std::list<Watcher*> Watcher::all;

class Ticker final : public Event {
 public:
  Ticker() : responder_(&context_) {
    service.RequestTick(&context_, &request_, &responder_, queue, queue, this);
  }
  void Proceed(bool ok) override {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new Ticker();
    answered_ = true;
    auto message = std::make_shared<const x::Message>(request_);
    for (Watcher* watcher : Watcher::all) watcher->Post(message);
    responder_.Finish(request_, grpc::Status::OK, this);
  }

 private:
  bool answered_ = false;
  grpc::ServerContext context_;
  x::Message request_;
  grpc::ServerAsyncResponseWriter<x::Message> responder_;
};

class Repeater final : public Event {
 public:
  Repeater() : writer_(&context_) {
    service.RequestStream(&context_, &request_, &writer_, queue, queue, this);
  }
  void Proceed(bool ok) override {
    if (!accepted_) {
      if (!ok) return;
      accepted_ = true;
      new Repeater();
      left_ = WantedCount(request_.b());
    }
    if (finishing_) {
      delete this;
    } else if (!ok || left_ == 0) {
      finishing_ = true;
      writer_.Finish(grpc::Status::OK, this);
    } else {
      left_ -= 1;
      writer_.Write(request_, this);
    }
  }

 private:
  bool accepted_ = false, finishing_ = false;
  std::uint64_t left_ = 0;
  grpc::ServerContext context_;
  x::Message request_;
  grpc::ServerAsyncWriter<x::Message> writer_;
};

int main(int count, char** words) {
  grpc::ServerBuilder builder;
  Listen(builder, count, words);
  builder.RegisterService(&service);
  auto owned = builder.AddCompletionQueue();
  queue = owned.get();
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  for (int i = 0; i < 2000; i++) new Echo();
  new Watcher();
  for (int i = 0; i < 100; i++) new Ticker();
  new Repeater();
  Ready();
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<Event*>(tag)->Proceed(ok);
}
