/** What was wrong with one field of a request. */
export interface FieldFault {
  path: string
  code: string
  message: string
}

/** An error as the server tells it (RFC 9457), or what stood in the way of asking it. */
export class Problem extends Error {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number
  /** A stable word: `forbidden`, `step_up_required`, …; `unreachable` when no answer came. */
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly errors: FieldFault[]
  readonly requestId: string | undefined

  constructor(status: number, body: Partial<Record<string, unknown>> = {}) {
    const title = typeof body.title === 'string' ? body.title : `The server answered ${status}`
    const detail = typeof body.detail === 'string' ? body.detail : ''
    super(detail ? `${title}: ${detail}` : title)
    this.name = 'Problem'
    this.status = status
    this.code = typeof body.code === 'string' ? body.code : 'unknown'
    this.title = title
    this.detail = detail
    this.errors = Array.isArray(body.errors) ? (body.errors as FieldFault[]) : []
    this.requestId = typeof body.request_id === 'string' ? body.request_id : undefined
  }

  /** No answer came: the network, or the server, is away. */
  static unreachable(cause: unknown): Problem {
    const detail = cause instanceof Error ? cause.message : 'no answer'
    return new Problem(0, { code: 'unreachable', title: 'The server cannot be reached', detail })
  }

  /** What was said about one field, by its JSON pointer. */
  field(pointer: string): string | undefined {
    return this.errors.find((fault) => fault.path === pointer)?.message
  }
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : Problem.unreachable(error)
}
