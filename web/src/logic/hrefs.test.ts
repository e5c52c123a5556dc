import { expect, test } from 'vitest'
import { hrefWith } from './hrefs'

type Search = Record<string, string | undefined>

test.each<[Search, Search, string]>([
  [{ tab: 'users' }, { user: 'usr_1' }, '/settings?tab=users&user=usr_1'],
  [{ tab: 'users', user: 'usr_1' }, { user: undefined }, '/settings?tab=users'],
  [{ q: 'a&b=c' }, {}, '/settings?q=a%26b%3Dc'],
  [{ q: '' }, {}, '/settings'],
])('%j changed by %j', (search, change, href) => {
  expect(hrefWith('/settings', search, change)).toBe(href)
})
