import type { Browser, BrowserContext, Page } from '@playwright/test'

type Body = Record<string, unknown>

/** What the server refused, in the words of the test. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: { code?: string; detail?: string },
    what: string,
  ) {
    super(`${what}: ${status} ${JSON.stringify(problem)}`)
  }
}

/** Somebody with a session, who asks the API. */
export class Person {
  constructor(
    readonly url: string,
    readonly username: string,
    readonly password: string,
    private token: string,
  ) {}

  /** Logs in for the first time and sets a password, as everybody must. */
  static async first(url: string, username: string, oneTime: string): Promise<Person> {
    const password = `a sentence that ${username} keeps to themselves`
    const login = await ask(url, '', 'POST', '/login', { username, password: oneTime })
    const change = { current_password: oneTime, new_password: password }
    const session = await ask(url, String(login.token), 'POST', '/account/password', change)
    return new Person(url, username, password, String(session.token))
  }

  get(path: string): Promise<any> {
    return ask(this.url, this.token, 'GET', path)
  }

  post(path: string, body: unknown = {}): Promise<any> {
    return ask(this.url, this.token, 'POST', path, body)
  }

  put(path: string, body: unknown): Promise<any> {
    return ask(this.url, this.token, 'PUT', path, body)
  }

  delete(path: string): Promise<any> {
    return ask(this.url, this.token, 'DELETE', path)
  }

  /** Sends lines of JSON. */
  async lines(path: string, lines: string[]): Promise<any> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    return read(answer, `POST ${path}`)
  }

  /** Adds somebody with these roles, who has logged in. */
  async adds(username: string, roles: string[]): Promise<Person> {
    const made = await this.post('/users', { username, roles })
    return Person.first(this.url, username, made.one_time_password)
  }

  /** Asks until there is something. */
  async until<T>(what: string, look: () => Promise<T | undefined | null | false>, forMs = 60_000): Promise<T> {
    const end = Date.now() + forMs
    for (;;) {
      const found = await look()
      if (found) return found
      if (Date.now() > end) throw new Error(`in ${forMs} ms there was no ${what}`)
      await new Promise((resume) => setTimeout(resume, 100))
    }
  }

  /** A browser of their own, signed in through the page. */
  async browser(browser: Browser, options: Parameters<Browser['newContext']>[0] = {}): Promise<{ page: Page; context: BrowserContext }> {
    const context = await browser.newContext({ baseURL: this.url, ...options })
    const page = await context.newPage()
    await this.signsIn(page)
    return { page, context }
  }

  async signsIn(page: Page): Promise<void> {
    await page.goto('/')
    await page.getByLabel('User name').fill(this.username)
    await page.getByLabel('Password', { exact: true }).fill(this.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'Inbox' }).waitFor()
  }
}

/** Asks in the name of whoever holds a key. */
export async function ask(url: string, key: string, method: string, path: string, body?: unknown): Promise<Body & any> {
  const headers: Record<string, string> = {}
  if (key) headers.authorization = `Bearer ${key}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return read(answer, `${method} ${path}`)
}

async function read(answer: Response, what: string): Promise<any> {
  const text = await answer.text()
  const json = (answer.headers.get('content-type') ?? '').includes('json')
  const value: unknown = json && text ? JSON.parse(text) : text
  if (!answer.ok) throw new Refused(answer.status, json ? (value as object) : { detail: text }, what)
  return value
}
