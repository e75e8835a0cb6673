// A client as Go programs have it: grpc-go with reflection, health, keepalive and its estimation of bandwidth.
// Prints what came of it as one JSON document.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/stats"
)

// raw hands messages through as bytes, so that no schema is needed.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }

func (raw) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (raw) Name() string { return "proto" }

// connections counts those that were made and those that were lost.
type connections struct{ begun, ended int32 }

func (c *connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (c *connections) HandleRPC(context.Context, stats.RPCStats) {}

func (c *connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (c *connections) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		atomic.AddInt32(&c.begun, 1)
	case *stats.ConnEnd:
		atomic.AddInt32(&c.ended, 1)
	}
}

type report struct {
	Services  []string `json:"services"`
	Health    string   `json:"health"`
	Calls     int      `json:"calls"`
	Bytes     int      `json:"bytes"`
	Messages  int      `json:"messages"`
	WatchEnd  string   `json:"watch_end"`
	WatchTime float64  `json:"watch_time"`
	Made      int32    `json:"connections_made"`
	Lost      int32    `json:"connections_lost"`
}

func main() {
	target := flag.String("target", "", "what grpc.Dial is given")
	socket := flag.String("socket", "", "dial this socket with a dialer of the program's own")
	method := flag.String("method", "", "a unary method whose answer is large")
	request := flag.String("request", "", "its request, hexadecimal")
	calls := flag.Int("calls", 0, "how often it is called")
	watch := flag.String("watch", "", "a server-streaming method")
	watchRequest := flag.String("watch-request", "", "its request, hexadecimal")
	watchTime := flag.Duration("watch-time", 0, "how long its stream is kept open")
	flag.Parse()
	if err := run(*target, *socket, *method, *request, *calls, *watch, *watchRequest, *watchTime); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(
	target, socket, method, request string, calls int, watch, watchRequest string, watchTime time.Duration,
) error {
	seen := &connections{}
	options := []grpc.DialOption{
		grpc.WithInsecure(), grpc.WithStatsHandler(seen), grpc.WithBlock(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 20 * time.Second}),
	}
	if socket != "" {
		options = append(options, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	dialing, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	connection, err := grpc.DialContext(dialing, target, options...)
	if err != nil {
		return fmt.Errorf("dial %s: %w", target, err)
	}
	defer connection.Close()
	var told report
	if told.Services, err = services(ctx, connection); err != nil {
		return fmt.Errorf("reflection: %w", err)
	}
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	told.Health = answer.Status.String()
	body, err := hex.DecodeString(request)
	if err != nil {
		return err
	}
	for ; told.Calls < calls; told.Calls++ {
		var response []byte
		err := connection.Invoke(ctx, method, &body, &response, grpc.ForceCodec(raw{}))
		if err != nil {
			return fmt.Errorf("call %d of %s: %w", told.Calls+1, method, err)
		}
		told.Bytes += len(response)
	}
	if watch != "" {
		if err := follow(ctx, connection, watch, watchRequest, watchTime, &told); err != nil {
			return err
		}
	}
	told.Made, told.Lost = atomic.LoadInt32(&seen.begun), atomic.LoadInt32(&seen.ended)
	return json.NewEncoder(os.Stdout).Encode(told)
}

func services(ctx context.Context, connection *grpc.ClientConn) ([]string, error) {
	stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&grpc_reflection_v1alpha.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1alpha.ServerReflectionRequest_ListServices{ListServices: "*"},
	})
	if err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, service := range response.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	return names, stream.CloseSend()
}

// follow keeps a stream open on which nothing comes for longer than the keepalive's interval.
func follow(
	ctx context.Context, connection *grpc.ClientConn, method, request string, limit time.Duration, told *report,
) error {
	body, err := hex.DecodeString(request)
	if err != nil {
		return err
	}
	watching, stop := context.WithTimeout(ctx, limit)
	defer stop()
	begin := time.Now()
	stream, err := connection.NewStream(
		watching, &grpc.StreamDesc{ServerStreams: true}, method, grpc.ForceCodec(raw{}))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if err := stream.SendMsg(&body); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if err := stream.CloseSend(); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			told.WatchTime = time.Since(begin).Seconds()
			switch {
			case err == io.EOF:
				told.WatchEnd = "end"
			case watching.Err() != nil:
				told.WatchEnd = "as long as it was to last"
			default:
				told.WatchEnd = err.Error()
			}
			return nil
		}
		told.Messages++
	}
}
