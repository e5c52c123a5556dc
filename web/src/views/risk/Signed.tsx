import { Button, CopyButton, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { Lines } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Facts } from './Facts'
import { Fold } from './Fold'

/** The record that was signed, with its signature, for whoever checks it elsewhere. */
export function Signed({ decision }: { decision: Schema<'DecisionOut'> }) {
  const record = useMemo(() => JSON.stringify(decision.record, null, 2), [decision.record])
  return (
    <Section
      title="The signed record"
      aside={
        <CopyButton value={JSON.stringify(decision.record)}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="light" onClick={copy}>{copied ? 'Copied' : 'Copy the record'}</Button>
          )}
        </CopyButton>
      }
    >
      <Stack gap="sm">
        <Text size="sm" className="faint">
          Every input of the decision is in it. What is signed are its canonical bytes (RFC 8785); the audit log has
          their SHA-256.
        </Text>
        <Facts
          of={[
            ['Signature', <span className="mono">{decision.signature}</span>],
            ['Signing key', <span className="mono">{decision.key_fingerprint}</span>],
            ['Policy', decision.policy_bundle_id
              ? <span className="mono">{decision.policy_bundle_id}</span> : 'the bundle that ships'],
            ['Bound hash', decision.bound_hash && <span className="mono">{decision.bound_hash}</span>],
          ]}
        />
        <Fold title="Show the record"><Lines label="The signed record">{record}</Lines></Fold>
      </Stack>
    </Section>
  )
}
