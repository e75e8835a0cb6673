package io.netty.handler.ssl;

import io.netty.handler.codec.http2.Http2SecurityUtil;
import java.io.File;
import javax.net.ssl.SSLException;

/**
 * Netty's TLS by the JDK's own provider, with ALPN by the JDK. Debian's Netty was built without the wrapper that other builds
 * of the same release have for it; the engine that it would make is there.
 */
public final class JdkTLS {
  private JdkTLS() {}

  /** As `GrpcSslContexts.forClient()` makes it elsewhere; without a client certificate where `certificate` is null. */
  @SuppressWarnings("deprecation")
  public static SslContext client(File ca, File certificate, File key) throws SSLException {
    JdkApplicationProtocolNegotiator negotiator = new JdkBaseApplicationProtocolNegotiator(
        (engine, own, isServer) -> new Java9SslEngine(engine, own, isServer),
        JdkBaseApplicationProtocolNegotiator.NO_FAIL_SELECTOR_FACTORY,
        JdkBaseApplicationProtocolNegotiator.NO_FAIL_SELECTION_LISTENER_FACTORY,
        ApplicationProtocolNames.HTTP_2);
    return new JdkSslClientContext(
        ca, null, certificate, key, null, null, Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE, negotiator, 0, 0);
  }
}
