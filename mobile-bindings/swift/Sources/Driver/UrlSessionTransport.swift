// A transport on URLSession: for apps, and for the tests on Linux.

import Foundation
import VouchsafeWallet

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

private let mostBytes = 4 * 1024 * 1024

public final class UrlSessionTransport: HttpTransport, @unchecked Sendable {
    private let session: URLSession

    public init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieStorage = nil
        configuration.urlCache = nil
        configuration.timeoutIntervalForRequest = 30
        session = URLSession(
            configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
    }

    deinit {
        session.finishTasksAndInvalidate()
    }

    public func send(request: HttpRequest) async throws -> HttpReply {
        guard let url = URL(string: request.url) else { throw TransportFault.Unreachable }
        var sent = URLRequest(url: url)
        sent.httpMethod = request.method
        for field in request.headers { sent.addValue(field.value, forHTTPHeaderField: field.name) }
        if !request.body.isEmpty { sent.httpBody = request.body }
        let running = Running()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                running.start(
                    session.dataTask(with: sent) { data, response, _ in
                        continuation.resume(with: Result { try reply(data, response) })
                    })
            }
        } onCancel: {
            running.cancel()
        }
    }
}

private func reply(_ data: Data?, _ response: URLResponse?) throws -> HttpReply {
    guard let response = response as? HTTPURLResponse, let data, data.count <= mostBytes else {
        throw TransportFault.Unreachable
    }
    let fields = response.allHeaderFields.map {
        HttpField(name: String(describing: $0.key), value: String(describing: $0.value))
    }
    return HttpReply(status: UInt16(response.statusCode), headers: fields, body: data)
}

/// Cancels the task of a call, whichever comes first.
private final class Running: @unchecked Sendable {
    private let lock = NSLock()
    private var task: URLSessionDataTask?
    private var isCanceled = false

    func start(_ task: URLSessionDataTask) {
        lock.lock()
        self.task = task
        let canceled = isCanceled
        lock.unlock()
        task.resume()
        if canceled { task.cancel() }
    }

    func cancel() {
        lock.lock()
        isCanceled = true
        let task = self.task
        lock.unlock()
        task?.cancel()
    }
}

private final class NoRedirects: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
