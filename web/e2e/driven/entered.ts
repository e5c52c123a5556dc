import type { Browser, Page } from '@playwright/test'

/** A setting of the test that drives this. */
export function given(name: string): string {
  const value = process.env[`COUNTERSIGN_${name}`]
  if (!value) throw new Error(`COUNTERSIGN_${name} is missing: this is run by a test of crates/app/tests/it/console.rs`)
  return value
}

/** A page of somebody who has a session already, by its token. */
export async function entered(browser: Browser, token: string): Promise<Page> {
  const url = given('URL')
  const context = await browser.newContext({ baseURL: url })
  await context.addCookies([{ name: '__Host-countersign', value: token, url: url.replace('http:', 'https:'), secure: true, httpOnly: true, sameSite: 'Strict' }])
  return context.newPage()
}
