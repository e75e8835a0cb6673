import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import grpc.health.v1.HealthGrpc;
import grpc.health.v1.HealthOuterClass.HealthCheckRequest;
import grpc.reflection.v1.Reflection.ServerReflectionRequest;
import grpc.reflection.v1.Reflection.ServerReflectionResponse;
import grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.CallCredentials;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import omni.management.v1.Management.GetClusterRequest;
import omni.management.v1.Management.GetRotationStatusRequest;
import omni.management.v1.Management.GetRotationStatusResponse;
import omni.management.v1.Management.ListClustersRequest;
import omni.management.v1.Management.ListClustersResponse;
import omni.management.v1.Management.RotateSecretRequest;
import omni.management.v1.Management.RotateSecretResponse;
import omni.management.v1.Management.RotationStatus;
import omni.management.v1.Management.SecretComponent;
import omni.management.v1.Management.WatchRotationStatusRequest;
import omni.management.v1.Management.WatchRotationStatusResponse;
import omni.management.v1.ManagementServiceGrpc;

/**
 * A client as Java programs have it: grpc-java on Netty, with the stubs that its plugin makes. Prints what came of it, a line
 * for each fact: its name, a tab, its value.
 *
 * <p>`Client --option=value… CASE ARGUMENT…`
 */
public final class Client {
  private static final long PATIENCE = 60;

  private final Dialer dialer;
  private final ManagedChannel channel;
  private final CallCredentials credentials;

  private Client(Dialer dialer, String authority) throws Exception {
    this.dialer = dialer;
    channel = dialer.dial(authority);
    credentials = dialer.credentials();
  }

  public static void main(String[] arguments) {
    try {
      carryOut(arguments);
    } catch (Throwable error) {
      // Threads of gRPC would keep the process otherwise.
      error.printStackTrace();
      System.exit(1);
    }
  }

  private static void carryOut(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    List<String> words = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.startsWith("--")) {
        String[] parts = argument.substring(2).split("=", 2);
        options.put(parts[0], parts[1]);
      } else {
        words.add(argument);
      }
    }
    Dialer dialer = new Dialer(options);
    String name = words.remove(0);
    if (name.equals("authorities")) {
      authorities(dialer, words);
    } else {
      new Client(dialer, options.get("authority")).run(name, words);
    }
    dialer.close();
  }

  /** One channel and one call for each `:authority`. */
  private static void authorities(Dialer dialer, List<String> values) throws Exception {
    for (String value : values) {
      Client client = new Client(dialer, value);
      tell("authority " + value, code(() -> client.blocking().listClusters(ListClustersRequest.getDefaultInstance())));
      client.channel.shutdown().awaitTermination(PATIENCE, TimeUnit.SECONDS);
    }
  }

  private void run(String name, List<String> words) throws Exception {
    tell("channel authority", channel.authority());
    switch (name) {
      case "standard" -> standard();
      case "refused" -> refused();
      case "large" -> large(Integer.parseInt(words.get(0)), words.get(1));
      case "ends" -> ends();
      case "hurry" -> hurry(Integer.parseInt(words.get(0)));
      case "crowd" -> crowd(Integer.parseInt(words.get(0)));
      case "metadata" -> metadata();
      case "rotate" -> rotate(words.get(0), words.get(1));
      case "silence" -> silence(Integer.parseInt(words.get(0)));
      case "follow" -> follow();
      case "call" -> tell("call", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
      default -> throw new IllegalArgumentException(name);
    }
    tell("connections made", dialer.made);
    tell("connections lost", dialer.lost);
    channel.shutdownNow().awaitTermination(PATIENCE, TimeUnit.SECONDS);
  }

  /** The standard services: health, and reflection as a stream in both directions. */
  private void standard() throws Exception {
    var health = HealthGrpc.newBlockingStub(channel).withCallCredentials(credentials).withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
    tell("health", health.check(HealthCheckRequest.getDefaultInstance()).getStatus());
    Iterator<?> watch = health.watch(HealthCheckRequest.getDefaultInstance());
    watch.next();
    SynchronousQueue<Object> answers = new SynchronousQueue<>();
    StreamObserver<ServerReflectionRequest> requests = ServerReflectionGrpc.newStub(channel)
        .withCallCredentials(credentials)
        .withDeadlineAfter(PATIENCE, TimeUnit.SECONDS)
        .serverReflectionInfo(new StreamObserver<ServerReflectionResponse>() {
          @Override
          public void onNext(ServerReflectionResponse answer) {
            hand(answer);
          }

          @Override
          public void onError(Throwable error) {
            hand(Status.fromThrowable(error));
          }

          @Override
          public void onCompleted() {
            hand(Status.OK);
          }

          private void hand(Object answer) {
            try {
              answers.offer(answer, PATIENCE, TimeUnit.SECONDS);
            } catch (InterruptedException error) {
              Thread.currentThread().interrupt();
            }
          }
        });
    for (int number = 0; number < 2; number++) {
      requests.onNext(ServerReflectionRequest.newBuilder().setListServices("*").build());
      if (answers.poll(PATIENCE, TimeUnit.SECONDS) instanceof ServerReflectionResponse answer) {
        tell("services " + number, answer.getListServicesResponse().getServiceList().stream()
            .map(service -> service.getName()).collect(Collectors.joining(" ")));
      }
    }
    requests.onCompleted();
    tell("reflection", answers.poll(PATIENCE, TimeUnit.SECONDS));
  }

  /** Errors with google.rpc.Status in the trailers. */
  private void refused() throws InvalidProtocolBufferException {
    try {
      blocking().getCluster(GetClusterRequest.getDefaultInstance());
    } catch (StatusRuntimeException error) {
      tellRefusal("malformed", error);
    }
    try {
      blocking().getRotationStatus(GetRotationStatusRequest.newBuilder().setCluster("missing").build());
    } catch (StatusRuntimeException error) {
      tellRefusal("unknown", error);
    }
  }

  private static void tellRefusal(String name, StatusRuntimeException error) throws InvalidProtocolBufferException {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    tell(name + " code", error.getStatus().getCode());
    tell(name + " words", error.getStatus().getDescription());
    tell(name + " code in details", Status.fromCodeValue(status.getCode()).getCode());
    tell(name + " words in details", status.getMessage());
    for (Any detail : status.getDetailsList()) {
      if (detail.is(BadRequest.class)) {
        tell(name + " field", detail.unpack(BadRequest.class).getFieldViolations(0).getField());
      } else if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        tell(name + " reason", info.getReason());
        tell(name + " domain", info.getDomain());
        tell(name + " cluster", info.getMetadataOrDefault("cluster", ""));
      }
    }
  }

  /** Large answers, which also make the channel estimate the bandwidth with PING; then one to a request in this compression. */
  private void large(int calls, String compression) {
    ListClustersRequest request = ListClustersRequest.newBuilder().setPageSize(1000).build();
    long bytes = 0;
    for (int call = 0; call < calls; call++) {
      bytes += blocking().listClusters(request).getSerializedSize();
    }
    tell("bytes", bytes);
    AtomicReference<Metadata> head = new AtomicReference<>();
    AtomicReference<Metadata> tail = new AtomicReference<>();
    ListClustersResponse answer = blocking().withCompression(compression)
        .withInterceptors(MetadataUtils.newCaptureMetadataInterceptor(head, tail))
        .listClusters(request);
    tell("bytes of the last", answer.getSerializedSize());
    tell("clusters", answer.getClustersCount());
    tell("encoding", head.get().get(ascii("grpc-encoding")));
  }

  /** Streams that end by a deadline, by their caller, and by a cancelled context; calls go on over the same connection. */
  private void ends() {
    WatchRotationStatusRequest everything = WatchRotationStatusRequest.getDefaultInstance();
    // The deadline is to pass while the stream stands, not while the connection is made.
    tell("before the deadline", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
    long begin = System.nanoTime();
    tell("deadline", code(() -> {
      ManagementServiceGrpc.newBlockingStub(channel).withCallCredentials(credentials)
          .withDeadlineAfter(1500, TimeUnit.MILLISECONDS)
          .watchRotationStatus(everything).forEachRemaining(message -> {});
    }));
    tell("milliseconds", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
    tell("after the deadline", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
    try (Context.CancellableContext context = Context.current().withCancellation()) {
      context.run(() -> {
        Iterator<WatchRotationStatusResponse> watch = blocking().watchRotationStatus(everything);
        watch.next();
        context.cancel(null);
        tell("cancelled", code(() -> watch.forEachRemaining(message -> {})));
      });
    }
    tell("after the cancellation", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
  }

  /** Calls whose deadlines are over at every point of their way. */
  private void hurry(int count) {
    TreeSet<String> codes = new TreeSet<>();
    for (int number = 0; number < count; number++) {
      try {
        ManagementServiceGrpc.newBlockingStub(channel).withCallCredentials(credentials)
            .withDeadlineAfter(100 * (number % 50), TimeUnit.MICROSECONDS)
            .watchRotationStatus(WatchRotationStatusRequest.getDefaultInstance())
            .forEachRemaining(message -> {});
      } catch (StatusRuntimeException error) {
        codes.add(error.getStatus().getCode().name());
      }
    }
    tell("codes", String.join(" ", codes));
    tell("after the hurry", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
  }

  /** Many calls at once on one connection. */
  private void crowd(int count) throws InterruptedException {
    var stub = ManagementServiceGrpc.newFutureStub(channel).withCallCredentials(credentials)
        .withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
    List<ListenableFuture<GetRotationStatusResponse>> calls = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      calls.add(stub.getRotationStatus(GetRotationStatusRequest.newBuilder().setCluster("missing-" + number).build()));
    }
    int answered = 0;
    TreeSet<String> codes = new TreeSet<>();
    for (int number = 0; number < count; number++) {
      try {
        Futures.getUnchecked(calls.get(number));
        codes.add("OK");
      } catch (RuntimeException error) {
        Status status = Status.fromThrowable(error);
        codes.add(status.getCode().name());
        // Each call has the answer to its own request.
        answered += String.valueOf(status.getDescription()).contains("'missing-" + number + "'") ? 1 : 0;
      }
    }
    tell("codes", String.join(" ", codes));
    tell("answered", answered);
  }

  /** Metadata of all kinds that the server knows nothing of, and more than it takes. */
  private void metadata() {
    Metadata some = new Metadata();
    some.put(ascii("x-first"), "one");
    some.put(ascii("x-first"), "two");
    some.put(Metadata.Key.of("x-second-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {0, 1, -1, 10, 13});
    some.put(ascii("x-empty"), "");
    some.put(ascii("x-third"), "t".repeat(6000));
    tell("some", code(() -> with(some).listClusters(ListClustersRequest.getDefaultInstance())));
    Metadata much = new Metadata();
    much.put(ascii("x-much"), "m".repeat(40_000));
    tell("too much", code(() -> with(much).listClusters(ListClustersRequest.getDefaultInstance())));
    tell("after too much", code(() -> blocking().listClusters(ListClustersRequest.getDefaultInstance())));
  }

  private ManagementServiceGrpc.ManagementServiceBlockingStub with(Metadata metadata) {
    return MetadataUtils.attachHeaders(blocking(), metadata);
  }

  /** A rotation from its start to its end, as a watch sees it. */
  private void rotate(String cluster, String component) {
    RotateSecretResponse begun = blocking().rotateSecret(RotateSecretRequest.newBuilder().setCluster(cluster)
        .setComponent(SecretComponent.valueOf("SECRET_COMPONENT_" + component)).build());
    tell("begun", begun.getStatus().getState());
    tell("attached", begun.getAttached());
    tell("requester", begun.getStatus().getRequester());
    List<String> phases = new ArrayList<>();
    long revision = 0;
    boolean isRising = true;
    RotationStatus last = RotationStatus.getDefaultInstance();
    Iterator<WatchRotationStatusResponse> watch = ManagementServiceGrpc.newBlockingStub(channel)
        .withCallCredentials(credentials).withDeadlineAfter(4, TimeUnit.MINUTES)
        .watchRotationStatus(WatchRotationStatusRequest.newBuilder().setCluster(cluster).setStopWhenIdle(true).build());
    int messages = 0;
    while (watch.hasNext()) {
      last = watch.next().getStatus();
      messages++;
      isRising &= last.getRevision() > revision;
      revision = last.getRevision();
      String phase = last.getPhase().name().replace("ROTATION_PHASE_", "");
      if (phases.isEmpty() || !phases.get(phases.size() - 1).equals(phase)) {
        phases.add(phase);
      }
    }
    tell("messages", messages);
    tell("rising", isRising);
    tell("phases", String.join(" ", phases));
    tell("state", last.getState());
    tell("rotation", last.getRotationId().equals(begun.getStatus().getRotationId()));
    tell("machines", last.getMachinesDone() + " of " + last.getMachinesTotal());
  }

  /** A stream on which nothing comes for longer than the keepalive's interval. */
  private void silence(int seconds) {
    int[] messages = {0};
    tell("end", code(() -> ManagementServiceGrpc.newBlockingStub(channel).withCallCredentials(credentials)
        .withDeadlineAfter(seconds, TimeUnit.SECONDS)
        .watchRotationStatus(WatchRotationStatusRequest.getDefaultInstance())
        .forEachRemaining(message -> messages[0]++)));
    tell("messages", messages[0]);
  }

  /** A stream until the server ends it; then one call, which waits for a connection. */
  private void follow() {
    tell("end", code(() -> ManagementServiceGrpc.newBlockingStub(channel).withCallCredentials(credentials)
        .withDeadlineAfter(PATIENCE, TimeUnit.SECONDS)
        .watchRotationStatus(WatchRotationStatusRequest.getDefaultInstance())
        .forEachRemaining(message -> tell("watching", "true"))));
    tell("next call", code(() -> blocking().withWaitForReady().listClusters(ListClustersRequest.getDefaultInstance())));
  }

  private ManagementServiceGrpc.ManagementServiceBlockingStub blocking() {
    return ManagementServiceGrpc.newBlockingStub(channel).withCallCredentials(credentials)
        .withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
  }

  private static Metadata.Key<String> ascii(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** How a call ends: its code, and the words for what is not OK. */
  private static String code(Runnable call) {
    try {
      call.run();
      return "OK";
    } catch (StatusRuntimeException error) {
      return error.getStatus().getCode() + " " + error.getStatus().getDescription();
    }
  }

  private static void tell(String name, Object value) {
    System.out.println(name + "\t" + value);
    System.out.flush();
  }
}
