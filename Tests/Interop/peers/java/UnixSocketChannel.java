import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.FileRegion;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.nio.AbstractNioByteChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * Netty's channel over a Unix socket of the JDK (JEP 380). Debian's Netty has the classes of its own for that, but not the
 * library in C that they need.
 */
public final class UnixSocketChannel extends AbstractNioByteChannel {
  private final ChannelConfig config = new DefaultChannelConfig(this);
  private volatile boolean isInputShut;

  public UnixSocketChannel() {
    super(null, open());
  }

  private static SocketChannel open() {
    try {
      return SocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  @Override
  protected SocketChannel javaChannel() {
    return (SocketChannel) super.javaChannel();
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public boolean isActive() {
    return javaChannel().isOpen() && javaChannel().isConnected();
  }

  @Override
  protected boolean doConnect(SocketAddress remote, SocketAddress local) throws Exception {
    boolean isConnected = javaChannel().connect(remote);
    if (!isConnected) {
      selectionKey().interestOps(SelectionKey.OP_CONNECT);
    }
    return isConnected;
  }

  @Override
  protected void doFinishConnect() throws Exception {
    if (!javaChannel().finishConnect()) {
      throw new IOException("the connection is not made");
    }
  }

  @Override
  protected int doReadBytes(ByteBuf bytes) throws Exception {
    RecvByteBufAllocator.Handle handle = unsafe().recvBufAllocHandle();
    handle.attemptedBytesRead(bytes.writableBytes());
    return bytes.writeBytes(javaChannel(), handle.attemptedBytesRead());
  }

  @Override
  protected int doWriteBytes(ByteBuf bytes) throws Exception {
    return bytes.readBytes(javaChannel(), bytes.readableBytes());
  }

  @Override
  protected long doWriteFileRegion(FileRegion region) throws Exception {
    return region.transferTo(javaChannel(), region.transferred());
  }

  @Override
  protected ChannelFuture shutdownInput() {
    try {
      javaChannel().shutdownInput();
      isInputShut = true;
      return newSucceededFuture();
    } catch (IOException error) {
      return newFailedFuture(error);
    }
  }

  @Override
  protected boolean isInputShutdown0() {
    return isInputShut;
  }

  @Override
  protected void doClose() throws Exception {
    super.doClose();
    javaChannel().close();
  }

  @Override
  protected void doBind(SocketAddress local) throws Exception {
    javaChannel().bind(local);
  }

  @Override
  protected void doDisconnect() throws Exception {
    doClose();
  }

  @Override
  protected SocketAddress localAddress0() {
    return address(false);
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return address(true);
  }

  private SocketAddress address(boolean isRemote) {
    try {
      return isRemote ? javaChannel().getRemoteAddress() : javaChannel().getLocalAddress();
    } catch (IOException error) {
      return null;
    }
  }
}
