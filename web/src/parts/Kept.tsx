import { Group, Modal, Text } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Body, Draft, Field } from '../logic/fields'
import { ChangeForm } from './ChangeForm'
import { FieldForm } from './FieldForm'
import { PlainTable, type PlainColumn } from './PlainTable'
import { Section } from './Section'
import type { Seen } from './seen'
import { Empty, Loaded } from './State'
import { MayButton, Sure } from './Sure'
import { useTouch } from './useTouch'

interface Found<Row> {
  data: Row[] | undefined
  error: Error | null
  isPending: boolean
  refetch: () => unknown
  more?: boolean
}

/** Things that are kept: listed, added, replaced and removed through one form. */
export interface KeptProps<Row> {
  title: string
  about?: ReactNode
  /** What one is called: `a rule`. */
  one: string
  query: Found<Row>
  columns: PlainColumn<Row>[]
  id: (row: Row) => string
  name: (row: Row) => string
  fields: Field[]
  /** Why whoever is looking may not change them. */
  why: string | undefined
  /** What it means that there are none. */
  empty: ReactNode
  add?: (body: Body) => Promise<unknown>
  /** Reads one as it is now, with the name of that state; a row is taken as it is without. */
  read?: (row: Row) => Promise<Seen<unknown>>
  replace?: (row: Row, body: Body, tag: string | undefined) => Promise<unknown>
  remove?: { says: (row: Row) => ReactNode; act: (row: Row) => Promise<unknown> }
  /** What else can be done with one. */
  more?: (row: Row) => ReactNode
  /** What is said in the form, of what was typed. */
  beside?: (draft: Draft) => ReactNode
  /** Collections of the API that change with it. */
  touched: string[]
}

/** A list of plain objects with the form that adds and changes them. */
export function Kept<Row>(props: KeptProps<Row>) {
  const { title, about, one, query, columns, id, name, why, empty, add, replace, remove, more, touched } = props
  const [adding, setAdding] = useState(false)
  const [editing, edit] = useState<Row>()
  const touch = useTouch()
  const what: PlainColumn<Row> = {
    name: 'Actions',
    cell: (row) => (
      <Group gap={6}>
        {replace && (
          <MayButton why={why} onClick={() => edit(row)} aria-label={`Change ${name(row)}`}>Change</MayButton>
        )}
        {more?.(row)}
        {remove && (
          <Sure
            label="Remove" title={`Remove ${name(row)}?`} why={why} color="red"
            button={{ 'aria-label': `Remove ${name(row)}` }}
            act={() => remove.act(row).then(() => touch(...touched))}
          >
            {remove.says(row)}
          </Sure>
        )}
      </Group>
    ),
  }
  const acts = replace || remove || more
  return (
    <Section
      title={title}
      aside={add && <MayButton why={why} size="compact-sm" onClick={() => setAdding(true)}>Add {one}</MayButton>}
    >
      {about && <Text size="sm" className="faint" mb="xs" component="div">{about}</Text>}
      <Loaded query={query} rows={4}>
        {(rows) => rows.length === 0 ? <Empty title="There is none">{empty}</Empty> : (
          <>
            <PlainTable label={title} columns={acts ? [...columns, what] : columns} rows={rows} id={id} />
            {query.more && <Text size="sm" className="faint" mt="xs">There are more than are shown here.</Text>}
          </>
        )}
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={`Add ${one}`} size="lg">
        {adding && add && (
          <FieldForm
            fields={props.fields} submit="Add" onCancel={() => setAdding(false)}
            onSubmit={async (body) => {
              await add(body)
              await touch(...touched)
              setAdding(false)
            }}
          >
            {props.beside}
          </FieldForm>
        )}
      </Modal>
      <Modal
        opened={editing !== undefined} onClose={() => edit(undefined)} title={`Change ${editing ? name(editing) : ''}`}
        size="lg"
      >
        {editing !== undefined && (
          <ChangeForm
            fields={props.fields} onClose={() => edit(undefined)}
            read={() => props.read?.(editing) ?? Promise.resolve({ value: editing, tag: undefined })}
            save={async (body, tag) => {
              await replace?.(editing, body, tag)
              await touch(...touched)
            }}
          >
            {props.beside}
          </ChangeForm>
        )}
      </Modal>
    </Section>
  )
}
