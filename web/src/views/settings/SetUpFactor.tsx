import { List, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import type { Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { Copied, ShownOnce } from '../../parts/ShownOnce'
import { useTouch } from '../../parts/useTouch'
import { grouped } from './grouped'

const password: Field[] = [
  {
    at: 'current_password', label: 'Your password', kind: 'secret',
    help: 'Leave it empty if you come through an identity provider; then you must have signed in within ten minutes.',
  },
]

const first: Field[] = [
  {
    at: 'code', label: 'First code', kind: 'text', required: true, placeholder: '287082',
    help: 'Six digits, shown by your app now.',
  },
]

/** Sets up a second factor in three steps: the password, the app, the recovery codes. */
export function SetUpFactor({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [made, make] = useState<Schema<'FactorMade'>>()
  const [codes, confirm] = useState<string[]>()
  const touch = useTouch()
  const close = () => {
    make(undefined)
    confirm(undefined)
    void touch('account')
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title="Set up a second factor" size="lg" closeOnClickOutside={!made} closeOnEscape={!made}>
      {opened && (codes ? (
        <ShownOnce what="Your recovery codes" value={codes.join('\n')} onDone={close}>
          Each counts once in place of a code, when your phone is lost. Keep them where your password is not.
        </ShownOnce>
      ) : made ? (
        <Confirm made={made} onConfirmed={confirm} onCancel={close} />
      ) : (
        <FieldForm
          fields={password} submit="Go on" onCancel={close}
          onSubmit={async ({ current_password: given }) => {
            const body = given === undefined ? {} : { current_password: String(given) }
            make((await api.POST('/api/v1/account/second-factor', { body })).data)
          }}
        />
      ))}
    </Modal>
  )
}

interface ConfirmProps {
  made: Schema<'FactorMade'>
  onConfirmed: (codes: string[]) => void
  onCancel: () => void
}

function Confirm({ made, onConfirmed, onCancel }: ConfirmProps) {
  return (
    <Stack gap="sm">
      <List size="sm" type="ordered" spacing={6}>
        <List.Item>In an app for one-time codes choose to add an account by a setup key, not by a picture.</List.Item>
        <List.Item>
          As its name type anything you will know it by; as its key type what stands below, without the spaces; as its
          kind choose time-based. Apps that ask want SHA-1, 6 digits, 30 seconds.
        </List.Item>
        <List.Item>Type here the first code it shows.</List.Item>
      </List>
      <ShownOnce what="The setup key" value={grouped(made.secret)} />
      <Text size="sm" className="faint">The same as an address, for apps and password managers that take one:</Text>
      <Copied value={made.uri} label="The setup key as an address" />
      <FieldForm
        fields={first} submit="Confirm" onCancel={onCancel}
        onSubmit={async (body) => {
          const given = String(body.code).replaceAll(' ', '')
          const { data } = await api.POST('/api/v1/account/second-factor/confirm', { body: { code: given } })
          onConfirmed(data?.recovery_codes ?? [])
        }}
      />
    </Stack>
  )
}
