import { expect, test } from 'vitest'
import { fingerprint, readHostKey } from './hostkey'

const LINE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
const KEY = LINE.split(' ')[1] ?? ''

test('a line gives the fingerprint ssh-keygen shows', async () => {
  const key = readHostKey(`  ${LINE} root@web-1\n`)
  if (typeof key === 'string') throw new Error(key)
  expect(key.line).toBe(LINE)
  // GitHub publishes this fingerprint for this key.
  expect(await fingerprint(key.blob)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

test.each([
  ['', 'looks like'],
  ['ssh-ed25519', 'looks like'],
  [`${LINE}\n${LINE}`, 'One key'],
  [`ssh-dss ${KEY}`, 'cannot be pinned'],
  [`ssh-rsa ${KEY}`, 'does not hold'],
  ['ssh-ed25519 !!!!', 'does not hold'],
  ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5', 'does not hold'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private key'],
])('%j is no host key', (text, why) => expect(readHostKey(text)).toContain(why))
