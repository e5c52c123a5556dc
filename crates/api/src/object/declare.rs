//! The declaration of a kind: one list of fields, of which its wire types, its columns and its
//! description are made.

/// Declares a kind of plain object.
///
/// The head names the kind, its wire types, and its place; `given` lists what its maker says,
/// `once` what only its first maker says, `derived` what `complete` or the owner fills, `kept` what
/// the database fills. A field is
/// `name: type => what its column holds`, followed by what lists may do with it. What is `known_by`
/// a name from outside may also be imported. `complete` fills what follows from other fields.
#[macro_export]
macro_rules! object {
    (
        $(#[$about:meta])*
        $name:ident ($given:ident, $shown:ident) {
            word: $word:literal, plural: $plural:literal, path: $path:literal,
            table: $table:literal, tag: $tag:literal, verbs: $verbs:ident,
            id: $id:ty, read: $read:ty, write: $write:ty,
            $(known_by: [$($natural:ident),+],)?
            $(owned_by: $owner:ident,)?
            example: $example:tt $(,)?
        }
        given {
            $($(#[$meta:meta])* $field:ident: $kind:ty => $holds:ident $(.$can:ident())*;)*
        }
        $(once {
            $($(#[$once_meta:meta])* $once:ident: $once_kind:ty => $once_holds:ident $(.$once_can:ident())*;)*
        })?
        $(derived {
            $($(#[$from_meta:meta])* $from:ident: $from_kind:ty => $from_holds:ident $(.$from_can:ident())*;)*
        })?
        kept {
            $($(#[$kept_meta:meta])* $kept:ident: $kept_kind:ty => $kept_holds:ident $(.$kept_can:ident($($kept_with:expr),*))*;)*
        }
        $(maker $maker:ident;)?
        check($wanted:ident) $check:block
        $(complete($fields:ident) $complete:block)?
    ) => {
        $(#[$about])*
        #[derive(Debug)]
        pub(crate) struct $name;

        $(#[$about])*
        #[derive(Debug, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(example = json!($example))]
        pub(crate) struct $given {
            $($(#[$meta])* $field: $kind,)*
            $($($(#[$once_meta])* $once: $once_kind,)*)?
        }

        $(#[$about])*
        #[derive(Debug, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema)]
        pub(crate) struct $shown {
            /// Its id.
            #[schema(value_type = String)]
            id: $id,
            $($(#[$meta])* $field: $kind,)*
            $($($(#[$once_meta])* $once: $once_kind,)*)?
            $($($(#[$from_meta])* $from: $from_kind,)*)?
            $($(#[$kept_meta])* $kept: $kept_kind,)*
            $(
                /// Who made it.
                #[schema(value_type = Option<String>)]
                $maker: Option<::model::id::ActorId>,
            )?
        }

        impl $crate::object::Object for $name {
            const KIND: ::db::object::Kind = ::db::object::Kind {
                word: $word,
                table: $table,
                columns: &[
                    $(::db::object::Column::new(stringify!($field), ::db::object::Holds::$holds)
                        $(.$can())*,)*
                    $($(::db::object::Column::new(stringify!($once), ::db::object::Holds::$once_holds)
                        .filled(::db::object::Filled::Once)$(.$once_can())*,)*)?
                    $($(::db::object::Column::new(stringify!($from), ::db::object::Holds::$from_holds)
                        .filled(::db::object::Filled::Derived)$(.$from_can())*,)*)?
                    $(::db::object::Column::new(stringify!($kept), ::db::object::Holds::$kept_holds)
                        .filled(::db::object::Filled::ByUs)$(.$kept_can($($kept_with),*))*,)*
                    $(::db::object::Column::new(stringify!($maker), ::db::object::Holds::Id)
                        .filled(::db::object::Filled::ByMaker).filter(),)?
                ],
                natural: &[$($(stringify!($natural)),+)?],
            };
            const PATH: &'static str = $path;
            const PLURAL: &'static str = $plural;
            const TAG: &'static str = $tag;
            const VERBS: $crate::object::Verbs = $crate::object::Verbs::$verbs;
            $(const OWNER: Option<&'static str> = Some(stringify!($owner));)?
            type Id = $id;
            type In = $given;
            type Out = $shown;
            type Read = $read;
            type Write = $write;

            fn check($wanted: &Self::In) -> $crate::problem::Answer<()> $check
            $(
                fn complete($fields: &mut ::serde_json::Map<String, ::serde_json::Value>) $complete
            )?
        }
    };
}
