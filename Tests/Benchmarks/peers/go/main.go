// grpc-go, as its tutorial has it: ordinary handlers, one goroutine for each call.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"net"
	"sync"

	"bench/x"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type server struct {
	mutex    sync.Mutex
	watchers map[chan *x.Message]struct{}
}

func (s *server) Y(_ context.Context, request *x.Message) (*x.Message, error) {
	return request, nil
}

func (s *server) Watch(_ *x.Message, stream x.S_WatchServer) error {
	ticks := make(chan *x.Message, 16)
	s.mutex.Lock()
	s.watchers[ticks] = struct{}{}
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		delete(s.watchers, ticks)
		s.mutex.Unlock()
	}()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		select {
		case message := <-ticks:
			if err := stream.Send(message); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}

func (s *server) Tick(ctx context.Context, request *x.Message) (*x.Message, error) {
	s.mutex.Lock()
	watchers := make([]chan *x.Message, 0, len(s.watchers))
	for ticks := range s.watchers {
		watchers = append(watchers, ticks)
	}
	s.mutex.Unlock()
	for _, ticks := range watchers {
		select {
		case ticks <- request:
		case <-ctx.Done():
			return nil, status.Error(codes.Canceled, "the ticker has gone")
		}
	}
	return request, nil
}

func (s *server) Stream(request *x.Message, stream x.S_StreamServer) error {
	var count uint64
	if len(request.B) >= 8 {
		count = binary.LittleEndian.Uint64(request.B)
	}
	for ; count > 0; count-- {
		if err := stream.Send(request); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	port := flag.Int("tls-port", 0, "serve with TLS on this port of 127.0.0.1 besides")
	certificate := flag.String("cert", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	workers := flag.Uint("stream-workers", 0, "goroutines kept for calls; 0 starts one for each")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: go-server [--tls-port N --cert FILE --key FILE] PATH")
	}
	service := &server{watchers: map[chan *x.Message]struct{}{}}
	options := []grpc.ServerOption{
		grpc.MaxConcurrentStreams(200000), grpc.MaxRecvMsgSize(16 << 20),
	}
	if *workers > 0 {
		options = append(options, grpc.NumStreamWorkers(uint32(*workers)))
	}
	start := func(listener net.Listener, err error, options ...grpc.ServerOption) {
		if err != nil {
			log.Fatal(err)
		}
		one := grpc.NewServer(options...)
		x.RegisterSServer(one, service)
		go func() { log.Fatal(one.Serve(listener)) }()
	}
	listener, err := net.Listen("unix", flag.Arg(0))
	start(listener, err, options...)
	if *port != 0 {
		tls, err := credentials.NewServerTLSFromFile(*certificate, *key)
		if err != nil {
			log.Fatal(err)
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
		start(listener, err, append(options, grpc.Creds(tls))...)
	}
	fmt.Println("ready")
	select {}
}
