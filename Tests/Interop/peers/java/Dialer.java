import io.grpc.CallCredentials;
import io.grpc.DecompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.InternalNettyChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.Channel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.JdkTLS;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Makes channels as the options say, and counts the connections that they make. */
final class Dialer {
  final AtomicInteger made = new AtomicInteger();
  final AtomicInteger lost = new AtomicInteger();
  private final Map<String, String> options;
  private final NioEventLoopGroup group = new NioEventLoopGroup(1);

  Dialer(Map<String, String> options) {
    this.options = options;
  }

  /** A channel that sends what it sends by itself as `:authority`. */
  ManagedChannel dial() throws IOException {
    return dial(null);
  }

  /**
   * @param authority what to send as `:authority`, also what grpc-java would not let a program choose, since its releases
   *     differ in what they send for a socket; null for what this release sends by itself.
   */
  ManagedChannel dial(String authority) throws IOException {
    NettyChannelBuilder builder = options.containsKey("socket") ? local() : remote();
    if (authority != null) {
      InternalNettyChannelBuilder.disableCheckAuthority(builder);
      builder.overrideAuthority(authority);
    }
    if (options.containsKey("window")) {
      builder.flowControlWindow(Integer.parseInt(options.get("window")));
    }
    if ("none".equals(options.get("compression"))) {
      builder.decompressorRegistry(DecompressorRegistry.emptyInstance());
    }
    if (options.containsKey("retries")) {
      builder.enableRetry().defaultServiceConfig(Map.of("methodConfig", List.of(Map.of(
          "name", List.of(Map.of()),
          "retryPolicy", Map.of(
              "maxAttempts", Double.valueOf(options.get("retries")), "initialBackoff", "0.5s", "maxBackoff", "5s",
              "backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE"))))));
    }
    return builder
        .eventLoopGroup(group)
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(20, TimeUnit.SECONDS)
        .keepAliveWithoutCalls(true)
        .build();
  }

  /** What every call says of its caller; null without a token. */
  CallCredentials credentials() throws IOException {
    if (!options.containsKey("token-file")) {
      return null;
    }
    String token = Files.readString(Path.of(options.get("token-file"))).strip();
    return new CallCredentials() {
      @Override
      public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier applier) {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        applier.apply(metadata);
      }

      @Override
      public void thisUsesUnstableApi() {}
    };
  }

  void close() {
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }

  private NettyChannelBuilder local() {
    return NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(options.get("socket")))
        .channelFactory(() -> counted(UnixSocketChannel::new))
        .usePlaintext();
  }

  private NettyChannelBuilder remote() throws IOException {
    File ca = new File(options.get("ca"));
    File certificate = options.containsKey("certificate") ? new File(options.get("certificate")) : null;
    File key = options.containsKey("key") ? new File(options.get("key")) : null;
    SslContext tls = options.get("tls").equals("jdk")
        ? JdkTLS.client(ca, certificate, key)
        : GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.OPENSSL)
            .trustManager(ca).keyManager(certificate, key).build();
    return NettyChannelBuilder.forTarget("dns:///" + options.get("address"))
        .channelFactory(() -> counted(NioSocketChannel::new))
        .sslContext(tls);
  }

  private Channel counted(Supplier<Channel> make) {
    Channel channel = make.get();
    made.incrementAndGet();
    channel.closeFuture().addListener(closed -> lost.incrementAndGet());
    return channel;
  }
}
