import { isValidElement, type ReactNode } from 'react'
import { shown } from '../logic/visible'

/** What a title says as text alone; empty where only a drawn component knows. */
function said(node: ReactNode): string {
  if (typeof node === 'string' || typeof node === 'number') return String(node)
  if (Array.isArray(node)) return node.map(said).join('')
  return isValidElement<{ children?: ReactNode }>(node) ? said(node.props.children) : ''
}

/** The same for where nothing but text can stand: what hides in it is written out. */
export const textOf = (node: ReactNode): string => shown(said(node)).trim()
