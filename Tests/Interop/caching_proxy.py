"""A gRPC proxy that keeps answers which may be kept: what `cacheable_unary` is about.

    caching_proxy.py UPSTREAM-PORT
"""

import sys
from concurrent import futures

import grpc


def identity(message: bytes) -> bytes:
    return message


class CachingProxy(grpc.GenericRpcHandler):
    def __init__(self, upstream: grpc.Channel):
        self._upstream = upstream
        self._kept: dict[tuple[str, bytes], bytes] = {}

    def service(self, details):
        call = self._upstream.unary_unary(details.method, identity, identity)

        def answer(request, context):
            key = (details.method, request)
            if key not in self._kept:
                response, info = call.with_call(request, timeout=20)
                if "max-age" not in dict(info.initial_metadata()).get("cache-control", ""):
                    return response
                self._kept[key] = response
            return self._kept[key]

        return grpc.unary_unary_rpc_method_handler(answer)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    upstream = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
    server.add_generic_rpc_handlers((CachingProxy(upstream),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
